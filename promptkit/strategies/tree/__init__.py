"""The parts of tree of thoughts: problems, thought generators, state evaluators, checkers and search policies."""

from promptkit.strategies.tree.check import Asking, Checker
from promptkit.strategies.tree.creative_writing import CreativeWriting
from promptkit.strategies.tree.crosswords import Crosswords
from promptkit.strategies.tree.evaluate import Evaluator, Judge, Lookahead, Value, Vote
from promptkit.strategies.tree.game24 import Game24
from promptkit.strategies.tree.generate import Generator, Propose, Sample
from promptkit.strategies.tree.growth import Growth, Node, Thought
from promptkit.strategies.tree.problem import Problem
from promptkit.strategies.tree.reasoning import Reasoning
from promptkit.strategies.tree.recorded import RecordedThoughts, RecordedValues
from promptkit.strategies.tree.search import BFS, DFS, BestFirst, Search

__all__ = [
    "BFS",
    "DFS",
    "Asking",
    "BestFirst",
    "Checker",
    "CreativeWriting",
    "Crosswords",
    "Evaluator",
    "Game24",
    "Generator",
    "Growth",
    "Judge",
    "Lookahead",
    "Node",
    "Problem",
    "Propose",
    "Reasoning",
    "RecordedThoughts",
    "RecordedValues",
    "Sample",
    "Search",
    "Thought",
    "Value",
    "Vote",
]
