"""Search policies: which states of a tree are followed. Another one is a class with one method, `search`."""

import hashlib
import heapq
import random
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from promptkit.flow import Flow
from promptkit.strategies.tree.growth import Growth, Node
from promptkit.strategies.tree.parts import Part


class Search(Part):
    """Base of search policies: the controller of Long (2023)."""

    family: ClassVar[str] = "search"

    def search(self, growth: Growth) -> Flow[list[Node]]:
        """Grow the tree from `growth.root`.

        Returns:
            The final states, the most promising first.
        """
        raise NotImplementedError(f"{type(self).__name__} must define search()")


class BFS(Search):
    """Breadth first: of all states of a level the best `width` are followed (a beam; Yao et al., 2023, algorithm 1).

    `select="greedy"` keeps the highest values, ties in the order in which the thoughts were seen. `select="sample"`
    draws with probabilities in proportion to the values, with replacement as published. The draw is seeded by the
    question and by what the model wrote, so the same run gives the same tree and a run with another seed another one.
    """

    tag: ClassVar[str] = "bfs"

    width: PositiveInt = 5
    """States of a level that are followed."""
    select: Literal["greedy", "sample"] = "greedy"
    """How they are chosen."""

    def search(self, growth: Growth) -> Flow[list[Node]]:
        """Level by level; finished states stay in the beam and compete."""
        level = [growth.root]
        while growing := [node for node in level if growth.can_grow(node)]:
            children = yield from growth.expand(growing)
            if not children:
                break
            candidates = [node for node in level if not growth.can_grow(node)] + children
            yield from growth.evaluate(candidates)
            level = self.selected(candidates, f"{growth.question.text}\n{growth.question.id}")
            for node in candidates:
                node.status = "pruned"
            for node in level:
                node.status = "kept"
        return level

    def selected(self, candidates: Sequence[Node], seed: str = "") -> list[Node]:
        """The states of a level that are followed.

        Args:
            candidates: valued states, in the order in which they were seen.
            seed: of the drawing, besides the states themselves.
        """
        values = [node.value or 0.0 for node in candidates]
        if self.select == "greedy":
            return sorted(candidates, key=lambda node: -(node.value or 0.0))[: self.width]
        texts = "\0".join([seed, *(f"{node.state}\0{node.value}" for node in candidates)])
        draw = random.Random(hashlib.sha256(texts.encode()).digest())
        return draw.choices(candidates, values if sum(values) > 0 else None, k=self.width)


class DFS(Search):
    """Depth first: the most promising thought is followed to its end before the next (Yao et al., 2023, algorithm 2).

    Thoughts are tried in the order of the confidence that the model gave them, else of their value; at most
    `per_state` of a state. The first finished state that is not pruned ends the search. Where there is none, the
    deepest state is the result, the first one visited of several.
    """

    tag: ClassVar[str] = "dfs"

    per_state: PositiveInt = 3
    """Thoughts of a state that are tried."""
    threshold: float = Field(default=0.01, ge=0)
    """States with no more value than this are pruned."""
    budget: PositiveInt = 100
    """States visited in all, the pruned ones included."""
    prune: bool = True
    """Whether `threshold` counts."""
    backtrack: bool = True
    """Whether another thought is tried when one led nowhere. `False` follows one path only."""

    def search(self, growth: Growth) -> Flow[list[Node]]:
        """Branch by branch; the thoughts of a state that are to be tried are judged together."""
        visited: list[Node] = []
        found = yield from self._follow(growth, growth.root, visited)
        deepest = max((node for node in visited if node.status == "kept"), key=lambda node: node.depth, default=None)
        return [found or deepest or growth.root]

    def _follow(self, growth: Growth, node: Node, visited: list[Node]) -> Flow[Node | None]:
        children = _distinct((yield from growth.expand([node])))
        if any(child.thought.score is None for child in children):
            yield from growth.evaluate(children)
        tried = sorted(children, key=lambda child: -child.rank)[: self.per_state]
        if any(child.value is None for child in tried):
            yield from growth.evaluate(tried)
        for child in children:
            child.status = "open" if child in tried else "pruned"
        for child in tried:
            if len(visited) >= self.budget:
                return None
            visited.append(child)
            if self.prune and (child.value or 0.0) <= self.threshold:
                child.status = "pruned"
                continue
            child.status = "kept"
            if growth.finished(child):
                return child
            if growth.can_grow(child) and len(visited) < self.budget:
                found = yield from self._follow(growth, child, visited)
                if found or not self.backtrack:
                    return found
            elif not self.backtrack:
                return None
        return None


class BestFirst(Search):
    """Best first: of all open states, wherever they stand, the one with the highest value is developed next.

    Ties go to the state seen first. The search ends with the first finished state whose turn comes, or when `budget`
    states have been developed; then the best finished state is the result, else the deepest one (ties: the best).
    """

    tag: ClassVar[str] = "best-first"

    budget: PositiveInt = 20
    """States that are developed further."""

    def search(self, growth: Growth) -> Flow[list[Node]]:
        """One state at a time; its thoughts are judged together."""
        waiting: list[tuple[float, int, Node]] = [(0.0, 0, growth.root)]
        ends: list[Node] = []
        left = self.budget
        while waiting and left:
            node = heapq.heappop(waiting)[2]
            node.status = "kept"
            if growth.finished(node):
                return [node]
            if not growth.can_grow(node):
                ends.append(node)
                continue
            left -= 1
            children = _distinct((yield from growth.expand([node])))
            yield from growth.evaluate(children)
            for child in children:
                heapq.heappush(waiting, (-(child.value or 0.0), child.id, child))
        ends += [node for _, _, node in sorted(waiting)]
        best = max(ends, key=lambda node: (growth.finished(node), node.depth, node.value or 0.0), default=growth.root)
        best.status = "kept"
        return [best]


def _distinct(nodes: Sequence[Node]) -> list[Node]:
    """The first node of each state; the others are pruned."""
    first = {node.state: node for node in reversed(nodes)}
    for node in nodes:
        if first[node.state] is not node:
            node.status = "pruned"
    return [node for node in nodes if first[node.state] is node]
