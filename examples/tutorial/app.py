import argparse
import configparser

from flask import Flask

app = Flask(__name__)

@app.route("/")
def hello():
    return "Hello, SlapOS!"

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    settings = configparser.ConfigParser()
    with open(parser.parse_args().config) as file:
        settings.read_string("[flask]\n" + file.read())
    app.run(host=settings["flask"]["host"], port=settings["flask"].getint("port"))
