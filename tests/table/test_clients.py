"""Whom the table trusts."""

from pathlib import Path

import httpx2
import pytest
from tests.fakes.health import certificate, service

from chimney.table.clients import Clients


async def test_an_authority_of_ones_own_is_trusted_when_it_is_named(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path, "localhost")
    strange, familiar = Clients(), Clients(ca_file=tmp_path / "certificate.pem")
    async with service(tls) as origin:
        url = f"https://localhost:{origin.port}/healthz"
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await strange.new().get(url)
        assert (await familiar.new().get(url)).status_code == 200
        await strange.close()
        await familiar.close()
