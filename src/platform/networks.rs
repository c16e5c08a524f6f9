//! Networks that are nobody's place in the world.

use std::net::IpAddr;

/// Addresses of networks of one's own (RFC 1918, 6598, 3927, 4193, 4291). They are not one caller's: behind one of them may be a proxy that nobody
/// named, and with it everybody.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback() || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback() || v6.is_unspecified(),
    }
}
