"""The application: one page that greets, as its settings say."""
import json
import os

from flask import Flask, render_template_string

with open(os.environ["HELLO_SETTINGS"]) as file:
    SETTINGS = json.load(file)

PAGE = """<!doctype html>
<title>{{ instance }}</title>
<h1>{{ greeting }}</h1>
<p>Served by the instance {{ instance }}.</p>
"""

app = Flask(__name__)


@app.route("/")
def page():
    return render_template_string(PAGE, **SETTINGS)
