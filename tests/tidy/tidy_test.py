#!/usr/bin/env python3
"""Runs the mechanical rules of the house on the tree, and each rule on a tree made to break it."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import document_rules  # noqa: E402, F401 (its rules register themselves)
import include_rules  # noqa: E402, F401 (likewise)
from rules import RULES  # noqa: E402 (after the line that keeps the tree free of __pycache__)
from tree import Tree, strip_comments  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def findings_in(rule, files):
    """What `rule` says about a temporary tree of {path: text}."""
    with tempfile.TemporaryDirectory(prefix="framefleet-tidy-") as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return list(rule.check(Tree(root)))


class TheRules(unittest.TestCase):
    """Each rule sees every mistake of its bad tree and accepts its good one."""

    def test_each_rule_objects_to_its_bad_tree(self):
        for rule in RULES:
            findings = findings_in(rule, rule.bad)
            blamed = {finding.split(":")[0] for finding in findings}
            expected = set(rule.bad) - INNOCENT.get(rule.name, set())
            with self.subTest(rule=rule.name):
                self.assertEqual(blamed, expected)

    def test_each_rule_accepts_its_good_tree(self):
        for rule in RULES:
            with self.subTest(rule=rule.name):
                self.assertEqual(findings_in(rule, rule.good), [])

    def test_comments_and_strings_are_told_from_code(self):
        text = 'a(); // b\n/* c\n d */ e("// f"); g(\'"\'); h("i");\n'
        self.assertEqual(strip_comments(text), 'a(); \n\n e("// f"); g(\'"\'); h("i");\n')
        self.assertEqual(strip_comments(text, strings=True), 'a(); \n\n e(""); g(\'"\'); h("");\n')


# Files that stand in a bad tree only so that the mistake can be made.
INNOCENT = {
    "every_source_is_built": {
        "broker/shell.cpp",
        "tests/unit/base/time_test.cpp",
        "tests/unit/base/CMakeLists.txt",
        "tests/unit/lost/lost_test.cpp",
    },
    "speed_page_says_what_was_measured": {"docs/speed/runs.jsonl"},
}


class TheTree(unittest.TestCase):
    """The rules find nothing in this tree."""

    tree = Tree(ROOT)

    def test_the_tree_was_read(self):
        self.assertIn("shared/base/time.hpp", self.tree.files)


def add_rule_tests():
    for rule in RULES:

        def test(self, rule=rule):
            findings = list(rule.check(self.tree))
            if findings:
                self.fail("\n" + "\n".join(findings))

        setattr(TheTree, f"test_{rule.name}", test)


add_rule_tests()

if __name__ == "__main__":
    unittest.main()
