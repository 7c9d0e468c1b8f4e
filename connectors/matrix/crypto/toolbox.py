"""All that works on one opened vault, made together and closed together."""

from datetime import datetime

from connectors.matrix.crypto.cross_signing import CrossSigning
from connectors.matrix.crypto.deciphering import Deciphering
from connectors.matrix.crypto.machine import Machine
from connectors.matrix.crypto.replays import Replays
from connectors.matrix.crypto.roomkeys import RoomKeys
from connectors.matrix.crypto.shelf import Shelf
from connectors.matrix.crypto.trust import TrustPolicy
from connectors.matrix.crypto.upkeep import Upkeep
from connectors.matrix.crypto.vault import Device, Vault
from connectors.matrix.keys import Trust
from connectors.matrix.session import Session


class Toolbox:
    """The tools of one device. Opening raises the vault's SetupError."""

    def __init__(self, session: Session, vault: Vault, device: Device, trust: Trust) -> None:
        self.machine = Machine(vault.open(device))
        self.shelf = Shelf(vault.folder)
        self.machine.olm.expects = self.shelf.expects
        self.replays = Replays(vault.folder)
        self.policy = TrustPolicy(self.machine, trust)
        self.upkeep = Upkeep(session, self.machine, self.policy)
        self.signing = CrossSigning(session, self.machine, vault.identity_file)
        self.roomkeys = RoomKeys(self.machine)
        self.deciphering = Deciphering(self.machine, self.policy, self.replays)
        self._vault = vault

    @property
    def made_at(self) -> datetime:
        """When the device's keys were made: nobody encrypted for it before."""
        return self._vault.made_at

    def close(self) -> None:
        """Close the files; nothing may be asked after that."""
        self.shelf.close()
        self.replays.close()
