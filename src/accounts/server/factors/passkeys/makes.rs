//! What keeps a passkey, by the AAGUID that its authenticator tells of itself: the beginning of its name, and nothing that is trusted.
//! The list has the most common ones; who knows a better name renames it.

use crate::platform::crypto::sha256;
use uuid::{Uuid, uuid};

/// The name of one whose make is not known.
const NAMELESS: &str = "Passkey";

const MAKES: [(Uuid, &str); 22] = [
    (uuid!("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"), "Google Password Manager"),
    (uuid!("adce0002-35bc-c60a-648b-0b25f1f05503"), "Chrome on Mac"),
    (uuid!("b5397666-4885-aa6b-cebf-e52262a439a2"), "Chromium"),
    (uuid!("771b48fd-d3d4-4f74-9232-fc157ab0507a"), "Edge on Mac"),
    (uuid!("08987058-cadc-4b81-b6e1-30de50dcbe96"), "Windows Hello"),
    (uuid!("6028b017-b1d4-4c02-b4b3-afcdafc96bb2"), "Windows Hello"),
    (uuid!("9ddd1817-af5a-4672-a2b9-3e3dd95000a9"), "Windows Hello"),
    (uuid!("fbfc3007-154e-4ecc-8c0b-6e020557d7bd"), "Apple Passwords"),
    (uuid!("dd4ec289-e01d-41c9-bb89-70fa845d4bf2"), "iCloud Keychain"),
    (uuid!("53414d53-554e-4700-0000-000000000000"), "Samsung Pass"),
    (uuid!("bada5566-a7aa-401f-bd96-45619a55120d"), "1Password"),
    (uuid!("d548826e-79b4-db40-a3d8-11116f7e8349"), "Bitwarden"),
    (uuid!("531126d6-e717-415c-9320-3d9aa6981239"), "Dashlane"),
    (uuid!("f3809540-7f14-49c1-a8b3-8f813b225541"), "Enpass"),
    (uuid!("fdb141b2-5d84-443e-8a35-4698c205a502"), "KeePassXC"),
    (uuid!("0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6"), "Keeper"),
    (uuid!("b84e4048-15dc-4dd0-8640-f4f60813c8af"), "NordPass"),
    (uuid!("50726f74-6f6e-5061-7373-50726f746f6e"), "Proton Pass"),
    (uuid!("2fc0579f-8113-47ea-b116-bb5a8db9202a"), "YubiKey 5"),
    (uuid!("cb69481e-8ff7-4039-93ec-0a2729a154a8"), "YubiKey 5"),
    (uuid!("ee882879-721c-4913-9775-3dfcce97072a"), "YubiKey 5"),
    (uuid!("fa2b99dc-9e39-4257-8f92-4a30d23c4118"), "YubiKey 5"),
];

/// What to call a passkey that was given no name.
pub fn name_of(aaguid: Uuid) -> &'static str {
    MAKES.iter().find(|(known, _)| *known == aaguid).map_or(NAMELESS, |(_, name)| name)
}

/// The AAGUID in an attestation object that was checked already: in the authenticator data, which begin with the hash of the site's
/// name (32 bytes), flags (1) and counter (4) (WebAuthn §6.1). Zero if there is none.
pub fn aaguid_in(attestation_object: &[u8], site: &str) -> Uuid {
    let hash = sha256(site);
    let start = attestation_object.windows(hash.len()).position(|part| part == hash).map(|at| at + hash.len() + 5);
    let bytes = start.and_then(|start| attestation_object.get(start..start + 16));
    bytes.and_then(|bytes| Uuid::from_slice(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_make_is_read_where_it_stands() {
        let bitwarden = MAKES[11].0;
        let object = [b"\xa3cfmtdnonehauthData\x58\x90".as_slice(), &sha256("localhost"), &[0x5d, 0, 0, 0, 0], bitwarden.as_bytes(), &[0, 16]].concat();
        assert_eq!(name_of(aaguid_in(&object, "localhost")), "Bitwarden");
        assert_eq!(name_of(aaguid_in(&object, "example.com")), "Passkey");
        assert_eq!(aaguid_in(&object[..70], "localhost"), Uuid::nil(), "cut off");
    }
}
