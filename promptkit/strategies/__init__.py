"""Prompting strategies, one readable file each."""

from promptkit.strategies.auto_cot import AutoCoT
from promptkit.strategies.base import Strategy
from promptkit.strategies.chain import Chain
from promptkit.strategies.cot import CoT
from promptkit.strategies.few_shot import FewShot
from promptkit.strategies.parsers import register_parser
from promptkit.strategies.presets import PRESETS, resolve
from promptkit.strategies.router import Router
from promptkit.strategies.selectors import Balanced, Diverse, Random, Similar
from promptkit.strategies.self_consistency import SelfConsistency
from promptkit.strategies.step import Step
from promptkit.strategies.tree_of_thoughts import TreeOfThoughts
from promptkit.strategies.zero_shot import ZeroShot

__all__ = [
    "PRESETS",
    "AutoCoT",
    "Balanced",
    "Chain",
    "CoT",
    "Diverse",
    "FewShot",
    "Random",
    "Router",
    "SelfConsistency",
    "Similar",
    "Step",
    "Strategy",
    "TreeOfThoughts",
    "ZeroShot",
    "register_parser",
    "resolve",
]
