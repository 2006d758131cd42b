"""Checks answers against an OpenAPI document: validate.py DOCUMENT, answers as JSON lines on standard input.

An answer is {"method", "path" (of the document), "status", "type", "body"} and may have "request", the body that was sent; a value
without a route is {"schema", "body"}. Objects may have no members that the document does not name. Complaints go to
standard output, one a line.
"""

import json
import sys

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012


def closed(value):
    """The same schema, where an object has the members that are named and no others."""
    if isinstance(value, list):
        return [closed(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: closed(item) for key, item in value.items()}
    if value.get("type") == "object" and "properties" in value:
        value.setdefault("additionalProperties", False)
    return value


with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)
complaints = [f"the document: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
resource = Resource.from_contents(closed(document), default_specification=DRAFT202012)
registry = Registry().with_resource("urn:document", resource)


def check(where, pointer, text):
    try:
        value = json.loads(text)
    except ValueError:
        complaints.append(f"{where}: is not JSON: {text[:200]!r}")
        return
    validator = Draft202012Validator({"$ref": f"urn:document#{pointer}"}, registry=registry)
    for error in validator.iter_errors(value):
        complaints.append(f"{where}: {error.json_path}: {error.message[:300]}")


def resolved(node, pointer):
    """Follows a reference to a component, which is where all of the document's references lead."""
    if "$ref" in node:
        pointer = node["$ref"][1:]
        node = document
        for part in pointer.split("/")[1:]:
            node = node[part]
    return node, pointer


for line in sys.stdin:
    answer = json.loads(line)
    if "schema" in answer:
        check(answer["schema"], f"/components/schemas/{answer['schema']}", answer["body"])
        continue
    where = f"{answer['method']} {answer['path']} {answer['status']}"
    route = answer["path"].replace("~", "~0").replace("/", "~1")
    base = f"/paths/{route}/{answer['method'].lower()}"
    operation = document["paths"].get(answer["path"], {}).get(answer["method"].lower())
    if operation is None:
        complaints.append(f"{where}: no such operation")
        continue
    status = str(answer["status"])
    # For refusals alone: a success that is not described is a mistake.
    if status not in operation["responses"] and answer["status"] >= 400:
        status = "default"
    if status not in operation["responses"]:
        complaints.append(f"{where}: no such status")
        continue
    response, pointer = resolved(operation["responses"][status], f"{base}/responses/{status}")
    content = response.get("content", {})
    kind = answer["type"].split(";")[0].strip()
    if kind not in content and (content or answer["body"]):
        complaints.append(f"{where}: the type is {kind!r}, not of {list(content)}")
    elif content and kind.endswith("json"):
        check(where, f"{pointer}/content/{kind.replace('/', '~1')}/schema", answer["body"])
    if answer.get("request") is not None:
        check(f"{where}, request", f"{base}/requestBody/content/application~1json/schema", answer["request"])

print("\n".join(complaints))
