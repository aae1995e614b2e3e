"""Nets that are trained until they fit the labels, of images and of raw columns."""

from skorch import NeuralNetClassifier
from torch import nn, optim
from torch.nn.functional import relu


class SmallCNN(nn.Module):
    """Two convolutions of stride 2 and two linear layers.

    53,000 parameters, 64 features. Strides in the place of pooling: on a CPU, pooling
    takes most of the time.
    """

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(16 * 7 * 7, 64),
            nn.ReLU(),
        )
        self.head = nn.Linear(64, 10)

    def forward(self, images):
        """Return logits of shape (n, 10)."""
        return self.head(self.body(images))


class Block(nn.Module):
    """Two convolutions with batch norm, and a way around them."""

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.first = nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)
        self.second = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(n_out), nn.BatchNorm2d(n_out)])
        self.around = nn.Sequential()
        if stride > 1:
            self.around.append(nn.Conv2d(n_in, n_out, 1, stride, bias=False))
            self.around.append(nn.BatchNorm2d(n_out))

    def forward(self, images):
        """Return images of the block's width."""
        inner = relu(self.norms[0](self.first(images)))
        return relu(self.norms[1](self.second(inner)) + self.around(images))


class ResNet(nn.Module):
    """He et al.'s ResNet for small images, three stages of one block.

    78,000 parameters, 64 features. ResNet-18 has four stages of two blocks, widths of
    64 to 512, and a first convolution of stride 1.
    """

    def __init__(self, widths=(16, 32, 64)):
        super().__init__()
        self.stem = nn.Conv2d(1, widths[0], 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(widths[0])
        self.blocks = nn.Sequential(
            Block(widths[0], widths[0], 1),
            Block(widths[0], widths[1], 2),
            Block(widths[1], widths[2], 2),
        )
        self.head = nn.Linear(widths[2], 10)

    def forward(self, images):
        """Return logits of shape (n, 10)."""
        images = self.blocks(relu(self.norm(self.stem(images))))
        return self.head(images.mean((2, 3)))


class LettersNet(nn.Sequential):
    """The paper's net for tables: one hidden layer of 1,024 units; 16 columns."""

    def __init__(self):
        super().__init__(nn.Linear(16, 1024), nn.ReLU(), nn.Linear(1024, 26))


class FittedNet(NeuralNetClassifier):
    """A net that trains until its accuracy in training exceeds 0.99."""

    def get_loss(self, y_pred, y_true, *args, training=False, **kwargs):
        """Return the loss, and count the hits."""
        if training:
            hits = (y_pred.argmax(1) == y_true).sum().item()
            self.history.record_batch("hits", hits)
        return super().get_loss(y_pred, y_true, *args, training=training, **kwargs)

    def notify(self, method_name, **kwargs):
        """Stop after the first epoch that is good enough."""
        super().notify(method_name, **kwargs)
        if method_name == "on_epoch_end":
            batches = self.history[-1, "batches"]
            hits = sum(batch["hits"] for batch in batches)
            # This is how skorch is told to stop.
            if hits > 0.99 * sum(batch["train_batch_size"] for batch in batches):
                raise KeyboardInterrupt


def fitted_net(module, lr=1e-3, batch_size=64, max_epochs=100):
    """Return a net of Adam, at 1e-3 in batches of 64 as in the paper, without a GPU."""
    return FittedNet(
        module,
        criterion=nn.CrossEntropyLoss,
        optimizer=optim.Adam,
        lr=lr,
        batch_size=batch_size,
        max_epochs=max_epochs,
        train_split=None,
        callbacks__print_log=None,
        verbose=0,
    )
