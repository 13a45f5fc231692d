"""The named schemas of one description, and the JSON schema of Python types."""

from __future__ import annotations

import datetime
import warnings
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError
from pydantic.json_schema import JsonSchemaMode, PydanticJsonSchemaWarning

Schema = dict[str, Any]
PLACE = "#/components/schemas/"
ANYTHING: Schema = {}


class Components:
    """Schemas by name; the same schema twice is one, and two of one name are told apart by where they come from."""

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}
        self._types: dict[tuple[Any, JsonSchemaMode], Schema] = {}

    def keep(self, name: str, schema: Schema, origin: str = "") -> Schema:
        """A reference to the schema under its name."""
        if self.schemas.setdefault(name, schema) != schema:
            name = _camel(origin) + name
            self.schemas[name] = schema
        return {"$ref": PLACE + name}

    def resolved(self, schema: Schema) -> Schema:
        """The schema itself where it is a reference."""
        reference = schema.get("$ref")
        return self.schemas.get(reference.removeprefix(PLACE), {}) if isinstance(reference, str) else schema

    def of_model(self, model: type[BaseModel]) -> Schema:
        """What a body has to look like."""
        schema = untitled(model.model_json_schema(ref_template=PLACE + "{model}"))
        origin = model.__module__.rpartition(".")[2]
        for name, inner in schema.pop("$defs", {}).items():
            self.keep(name, inner, origin)
        return self.keep(model.__name__.lstrip("_"), schema, origin)

    def of_type(self, hint: Any, mode: JsonSchemaMode = "serialization") -> Schema:
        """What values of a type look like in JSON; nothing is said of what pydantic does not know."""
        if hint is None or hint is Any:
            return ANYTHING
        if hint in (datetime.datetime, datetime.datetime | None):
            when: Schema = {"type": "string", "format": "date-time"}
            return when if hint is datetime.datetime else nullable(when)
        try:
            if (hint, mode) in self._types:
                return self._types[hint, mode]
        except TypeError:  # a type that cannot be looked up, like one with a list in it
            return ANYTHING
        schema = self._types[hint, mode] = self._of_unknown(hint, mode)
        return schema

    def _of_unknown(self, hint: Any, mode: JsonSchemaMode) -> Schema:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
                schema = TypeAdapter(hint).json_schema(mode=mode, ref_template=PLACE + "{model}")
        except (PydanticSchemaGenerationError, PydanticUserError, PydanticInvalidForJsonSchema, TypeError, NameError):
            return ANYTHING
        origin, name = str(getattr(hint, "__module__", "")).rpartition(".")[2], schema.get("title")
        schema = untitled(schema)
        for inside, inner in schema.pop("$defs", {}).items():
            self.keep(inside, inner, origin)
        return self.keep(name.lstrip("_"), schema, origin) if name and "properties" in schema else schema


def untitled(schema: Schema) -> Schema:
    """The schema without the titles that pydantic makes of names, which say nothing new."""
    found: Schema = {}
    for name, value in schema.items():
        if name == "properties":
            found[name] = {key: untitled(inner) for key, inner in value.items()}
        elif name != "title" or not isinstance(value, str):
            inner = (
                [untitled(one) if isinstance(one, dict) else one for one in value] if isinstance(value, list) else value
            )
            found[name] = untitled(value) if isinstance(value, dict) else inner
    return found


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    return either([schema, {"type": "null"}])


def either(schemas: list[Schema]) -> Schema:
    """One of several; anything, when one of them may be anything."""
    found: list[Schema] = []
    for schema in schemas:
        for one in schema.get("anyOf", [schema]) if set(schema) == {"anyOf"} else [schema]:
            if one not in found:
                found.append(one)
    if not found or any(not one for one in found):
        return ANYTHING
    return found[0] if len(found) == 1 else {"anyOf": found}


def merged(first: Schema, second: Schema, *, certain: bool = True) -> Schema:
    """An object with what either has; of one name the second counts. Not certain: it may also be missing."""
    if first.get("type") != "object" or second.get("type") != "object":
        return {"type": "object"}
    properties = dict(first.get("properties", {}))
    for name, schema in second.get("properties", {}).items():
        properties[name] = schema if certain or name not in properties else either([properties[name], schema])
    required = set(first.get("required", [])) | (set(second.get("required", [])) if certain else set())
    whole: Schema = {"type": "object", "properties": properties, "required": sorted(required & set(properties))}
    more = [one["additionalProperties"] for one in (first, second) if isinstance(one.get("additionalProperties"), dict)]
    return whole | ({"additionalProperties": either(more)} if more else {})


def is_optional(hint: Any) -> bool:
    """Whether None is one of the values."""
    return type(None) in get_args(hint)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
