"""What the strategies on gradient embeddings share."""

from skbadge.embeddings import gradient_embedding
from skbadge.strategies._base import EmbeddingStrategy


class GradientStrategy(EmbeddingStrategy):
    """A strategy that embeds rows as gradients of the loss at the predicted label.

    A subclass has a parameter ``include_bias`` and implements `make_sampler`.
    """

    needs = ("proba", "features")
    _parameter_constraints: dict = {"include_bias": ["boolean"]}

    def embed(self, outputs):
        """Gradient embeddings of rows, see `skbadge.embeddings.gradient_embedding`."""
        return gradient_embedding(
            outputs.proba,
            outputs.features,
            include_bias=self.include_bias,
            one_logit=outputs.one_logit,
        )
