"""Reads PromQL as far as it takes to know which metrics, labels and values an expression uses.

It is no parser of the language: Prometheus's own one reads every expression in `scripts/check.sh
monitoring`. Here a name that exists nowhere is found without Prometheus.
"""
import dataclasses
import re

GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = GROUPING | {"and", "or", "unless", "offset", "bool"}
FUNCTIONS = {"abs", "absent", "changes", "count", "deriv", "histogram_quantile", "increase",
             "last_over_time", "max", "min", "rate", "sort", "sum", "time", "topk", "vector"}
TOKEN = re.compile(r'''\s*(?:("(?:[^"\\]|\\.)*"|'[^']*')|(\d[\w.]*)|([A-Za-z_:][\w:]*)'''
                   r'''|(\$\w+)|(=~|!~|==|!=|>=|<=|[-+*/%^(){}\[\],=<>]))''')


@dataclasses.dataclass
class Selector:
    """`metric{label op "value", …}`; `matchers` are (label, op, value)."""
    metric: str
    matchers: list

    def __str__(self):
        inside = ",".join(f'{label}{op}"{value}"' for label, op, value in self.matchers)
        return f"{self.metric}{{{inside}}}" if inside else self.metric


@dataclasses.dataclass
class Expression:
    selectors: list
    grouping: set  # labels named by `by`, `on`, …

    @property
    def metrics(self):
        return {selector.metric for selector in self.selectors}


class Unreadable(ValueError):
    pass


def _tokens(text):
    at = 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if not match:
            raise Unreadable(f"not PromQL: {text[at:]}")
        yield match.group().strip()
        at = match.end()


def _until(end, tokens):
    inside = []
    for token in tokens:
        if token == end:
            return inside
        inside.append(token)
    raise Unreadable(f"no {end} to the end")


def _matchers(tokens):
    words = [token for token in tokens if token != ","]
    if len(words) % 3:
        raise Unreadable(f"not matchers: {tokens}")
    return [(label, op, value[1:-1]) for label, op, value in zip(*[iter(words)] * 3)]


def read(text):
    tokens = list(_tokens(text))
    expression = Expression([], set())
    rest = iter(tokens)
    before = ""
    for token in rest:
        if token == "[":
            _until("]", rest)
        elif token == "{":
            if not expression.selectors or before != expression.selectors[-1].metric:
                raise Unreadable(f"a selector without a metric in {text}")
            expression.selectors[-1].matchers = _matchers(_until("}", rest))
        elif token == "(" and before in GROUPING:
            expression.grouping |= set(_until(")", rest)) - {","}
        elif token == "(" and re.match(r"[A-Za-z_]", before) and before not in WORDS | FUNCTIONS:
            raise Unreadable(f"no function is called {before} in {text}")
        elif re.match(r"[A-Za-z_:]", token) and token not in WORDS | FUNCTIONS:
            expression.selectors.append(Selector(token, []))
        before = token
    return expression
