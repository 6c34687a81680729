from xml.etree.ElementTree import Element, tostring


def render(value):
    return tostring(Element("value", {key: str(each) for key, each in value.items()})).decode()
