"""The keys of a table as a study file writes them."""

from __future__ import annotations

from pydantic import BaseModel


def written_keys(kind: type[BaseModel]) -> dict[str, str]:
    """Each key with its attribute.

    The two differ where Python reserves the word: `from_: Annotated[When, Field(alias="from")]`.
    """
    return {field.alias or name: name for name, field in kind.model_fields.items()}
