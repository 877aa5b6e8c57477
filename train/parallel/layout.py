"""How ranks are laid out (docs/spec/model.md §7.4): d_inner_dp = d_cp × d_pp, d_world = d_dp × d_inner_dp."""

from dataclasses import dataclass

MOST_RANKS = 64


class Refused(Exception):
    """A layout, configuration or checkpoint that cannot be run; the message says why and what would do."""


@dataclass(frozen=True)
class Layout:
    """Sizes of the parallel dimensions. `hsdp` is how many ranks share one copy of the encoders (Figure 8: 4); 0 = an
    inner group.

    Rank = dp × d_inner + pp × d_cp + cp, so that ranks 0 and 1 of CP 2 × PP 2 are cp0 and cp1 of pp0, as in Figure 9.
    """

    dp: int = 1
    cp: int = 1
    pp: int = 1
    ep: int = 1
    hsdp: int = 0

    @property
    def inner(self):
        return self.cp * self.pp

    @property
    def world(self):
        return self.dp * self.inner

    @property
    def shard(self):
        return self.hsdp or self.inner

    def __str__(self):
        sizes = [
            f"{name} {size}"
            for name, size in (("DP", self.dp), ("CP", self.cp), ("PP", self.pp), ("EP", self.ep))
            if size > 1
        ]
        return " × ".join(sizes) or "1 × 1 × 1"

    def place(self, rank):
        """-> (dp, pp, cp) of a rank."""
        dp, inner = divmod(rank, self.inner)
        return (dp, *divmod(inner, self.cp))

    def rank(self, dp, pp, cp):
        return dp * self.inner + pp * self.cp + cp

    # Groups, each as the list of its ranks in the order in which its sums are made.
    def inner_group(self, rank):
        dp = self.place(rank)[0]
        return list(range(dp * self.inner, (dp + 1) * self.inner))

    def cp_group(self, rank):
        dp, pp, _ = self.place(rank)
        return [self.rank(dp, pp, cp) for cp in range(self.cp)]

    def dense_group(self, rank):
        """Ranks that hold the same weights of the language model, experts aside: data × context parallel."""
        pp = self.place(rank)[1]
        return [self.rank(dp, pp, cp) for dp in range(self.dp) for cp in range(self.cp)]

    def ep_group(self, rank):
        group = self.dense_group(rank)
        first = group.index(rank) // self.ep * self.ep
        return group[first : first + self.ep]

    def expert_group(self, rank):
        """Ranks that hold the same experts."""
        group = self.dense_group(rank)
        return group[group.index(rank) % self.ep :: self.ep]

    def shard_group(self, rank):
        first = rank // self.shard * self.shard
        return list(range(first, first + self.shard))

    def check(self, config, ranks):
        """@raises Refused: the sizes do not divide what they split, or there are too few ranks."""
        for name in ("dp", "cp", "pp", "ep"):
            size = getattr(self, name)
            if not isinstance(size, int) or size < 1:
                raise Refused(f"{name} is {size!r}: a whole number of at least 1 is needed")
        lm = config["language_model"]
        layers, experts, hidden = lm["num_layers"], lm["n_routed_experts"], lm["hidden_size"]
        if self.world > MOST_RANKS:
            raise Refused(f"{self} takes {self.world} ranks; at most {MOST_RANKS} are run on one machine")
        if self.world > ranks:
            raise Refused(f"{self} takes {self.world} ranks (DP × CP × PP), there are {ranks}")
        if layers % self.pp:
            raise Refused(f"PP {self.pp} does not divide {layers} layers")
        if experts % self.ep:
            raise Refused(f"EP {self.ep} does not divide {experts} experts")
        if self.dp * self.cp % self.ep:
            raise Refused(
                f"EP {self.ep} does not divide DP × CP = {self.dp * self.cp}: experts are shared among ranks of one pipeline stage"
            )
        if hidden % self.cp:
            raise Refused(f"CP {self.cp} does not divide the hidden size {hidden}, along which the bridge splits")
        if self.world % self.shard:
            raise Refused(f"encoder shards of {self.shard} ranks do not divide {self.world} ranks")
