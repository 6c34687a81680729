import circle_a

value = circle_a.before
try:
    circle_a.after
except AttributeError as error:
    message = str(error)
try:
    from circle_a import after
except ImportError as error:
    refused = (str(error), error.name, error.path)
