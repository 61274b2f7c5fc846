"""gpytorch, a program that uses pykeops: its KeOps kernels against its dense ones."""

import pytest
import torch

gpytorch = pytest.importorskip("gpytorch")


@pytest.fixture(autouse=True)
def symbolic_matrices(monkeypatch):
    """As for large data: symbolic matrices, no dense factors. Gives the list of the symbolic matrices that are made."""
    made = []
    keops_kernel = gpytorch.kernels.keops.keops_kernel
    lazy_tensor = keops_kernel.LazyTensor
    monkeypatch.setattr(keops_kernel, "LazyTensor", lambda x: made.append(x.shape) or lazy_tensor(x))
    with gpytorch.settings.max_cholesky_size(1), gpytorch.settings.use_keops(True):
        yield made
    assert made


def points(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(len(shape)), dtype=torch.float64)


KERNELS = [
    ("RBFKernel", {}),
    ("RBFKernel", {"ard_num_dims": 3}),
    ("MaternKernel", {"nu": 0.5}),
    ("MaternKernel", {"nu": 1.5}),
    ("MaternKernel", {"nu": 2.5}),
    ("PeriodicKernel", {}),
]


@pytest.mark.parametrize("name, settings", KERNELS)
@pytest.mark.parametrize("batch", [(), (2,)])
def test_products_and_their_derivatives(name, settings, batch):
    x, y, v = points(*batch, 40, 3).requires_grad_(), points(*batch, 30, 3) + 0.1, points(*batch, 30, 2)
    results = []
    for module in (gpytorch.kernels.keops, gpytorch.kernels):
        kernel = getattr(module, name)(**settings).double()
        product = kernel(x, y) @ v
        gradients = torch.autograd.grad(product.sin().sum(), [x, *kernel.parameters()])
        results.append([product, *gradients])
    for one, other in zip(*results):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)


def test_a_gaussian_process_is_fitted():
    x = points(120, 1)
    y = torch.sin(6 * x[:, 0]) + 0.05 * points(120)

    def fitted(kernels):
        class Model(gpytorch.models.ExactGP):
            def __init__(self, likelihood):
                super().__init__(x, y, likelihood)
                self.mean_module = gpytorch.means.ConstantMean()
                self.covar_module = gpytorch.kernels.ScaleKernel(kernels.RBFKernel())

            def forward(self, x):
                return gpytorch.distributions.MultivariateNormal(self.mean_module(x), self.covar_module(x))

        torch.manual_seed(0)
        likelihood = gpytorch.likelihoods.GaussianLikelihood()
        model = Model(likelihood).double()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
        loss = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, model)
        model.train()
        for _ in range(25):
            optimizer.zero_grad()
            value = -loss(model(x), y)
            value.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad(), gpytorch.settings.fast_pred_var(False):
            return value.item(), likelihood(model(points(30, 1))).mean

    loss, mean = fitted(gpytorch.kernels.keops)
    assert loss < 0.2
    assert (mean - torch.sin(6 * points(30, 1)[:, 0])).abs().max() < 0.15
