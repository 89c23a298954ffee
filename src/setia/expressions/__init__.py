"""Conditions and amounts in CEL: checked by the official implementation, evaluated exactly and fast by ours."""

from setia.expressions.check import LONGEST_EXPRESSION, CheckedExpression, check
from setia.expressions.errors import EvaluationError, ExpressionError, Issue
from setia.expressions.explain import ClauseFailure
from setia.expressions.expression import Expression, compile_expression
from setia.expressions.interpret import MOST_STEPS
from setia.expressions.schema import (
    BOOL,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    ListOf,
    MapOf,
    Message,
    Scalar,
    Schema,
    Type,
)

__all__ = [
    "BOOL",
    "DECIMAL",
    "DURATION",
    "DYN",
    "INT",
    "LONGEST_EXPRESSION",
    "MOST_STEPS",
    "STRING",
    "TIMESTAMP",
    "CheckedExpression",
    "ClauseFailure",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "Issue",
    "ListOf",
    "MapOf",
    "Message",
    "Scalar",
    "Schema",
    "Type",
    "check",
    "compile_expression",
]
