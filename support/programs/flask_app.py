"""A web application, asked by its own test client, or served on a port of the loopback interface."""

import sys

from flask import Flask, abort, jsonify, render_template_string, request, session

app = Flask(__name__)
app.secret_key = "not a secret"


@app.get("/")
def index():
    return render_template_string("<p>{{ name|upper }}</p>{% for i in range(3) %}{{ i }}{% endfor %}", name=request.args.get("name", "nobody"))


@app.post("/data")
def data():
    return jsonify(got=request.get_json(), user=session.get("user"))


@app.get("/fails")
def fails():
    return 1 / 0


@app.get("/forbidden")
def forbidden():
    abort(403)


@app.cli.command("hello")
def hello():
    print("hello from a command")


if __name__ == "__main__":
    client = app.test_client()
    for path in sys.argv[1:]:
        answer = client.post(path, json={"a": [1, 2]}) if path == "/data" else client.get(path)
        print(path, answer.status, answer.content_type, answer.get_data(as_text=True))
