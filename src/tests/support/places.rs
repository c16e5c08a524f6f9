//! A small database of places in MaxMind's DB format (maxmind.github.io/MaxMind-DB): an IPv6 tree with records of 24 bits, IPv4 at ::/96.

use ipnet::IpNet;
use std::{net::IpAddr, path::Path};

#[derive(Clone, Copy)]
enum Record {
    Nothing,
    Node(usize),
    Data(usize),
}

/// Writes a file of these networks, each with its city and its country; none lies in another one. In MaxMind's fields.
pub fn write_places(path: &Path, networks: &[(&str, Option<&str>, Option<&str>)]) {
    let named = |name: &str| map(&[("names", map(&[("en", text(name))]))]);
    write_fields(path, networks, ["city", "country"], named);
}

/// The same, where two fields hold city and country as they are.
pub fn write_flat_places(path: &Path, networks: &[(&str, Option<&str>, Option<&str>)], fields: [&str; 2]) {
    write_fields(path, networks, fields, text);
}

fn write_fields(path: &Path, networks: &[(&str, Option<&str>, Option<&str>)], fields: [&str; 2], named: impl Fn(&str) -> Vec<u8>) {
    let mut nodes = vec![[Record::Nothing; 2]];
    let mut data: Vec<u8> = Vec::new();
    for (network, city, country) in networks {
        let offset = data.len();
        let entries: Vec<(&str, Vec<u8>)> =
            [(fields[0], city), (fields[1], country)].into_iter().filter_map(|(of, name)| name.map(|name| (of, named(name)))).collect();
        data.extend(map(&entries));
        let network: IpNet = network.parse().unwrap();
        let (bits, length) = match network.addr() {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 96 + usize::from(network.prefix_len())),
            IpAddr::V6(address) => (u128::from(address), usize::from(network.prefix_len())),
        };
        let mut node = 0;
        for depth in 0..length {
            let side = usize::from((bits >> (127 - depth)) & 1 == 1);
            if depth + 1 == length {
                nodes[node][side] = Record::Data(offset);
            } else if let Record::Node(next) = nodes[node][side] {
                node = next;
            } else {
                let next = nodes.len();
                nodes.push([Record::Nothing; 2]);
                nodes[node][side] = Record::Node(next);
                node = next;
            }
        }
    }
    let count = nodes.len();
    let mut file: Vec<u8> = Vec::new();
    for record in nodes.iter().flatten() {
        let value = match *record {
            Record::Nothing => count,
            Record::Node(next) => next,
            Record::Data(offset) => count + 16 + offset,
        };
        file.extend_from_slice(&u32::try_from(value).unwrap().to_be_bytes()[1..]);
    }
    file.extend_from_slice(&[0; 16]);
    file.extend_from_slice(&data);
    file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    file.extend_from_slice(&map(&[
        ("binary_format_major_version", number(5, &2_u16.to_be_bytes())),
        ("binary_format_minor_version", number(5, &0_u16.to_be_bytes())),
        ("build_epoch", number(9, &1_795_000_000_u64.to_be_bytes())),
        ("database_type", text("Test-City")),
        ("description", map(&[("en", text("Places of tests"))])),
        ("ip_version", number(5, &6_u16.to_be_bytes())),
        ("languages", [head(11, 1), text("en")].concat()),
        ("node_count", number(6, &u32::try_from(count).unwrap().to_be_bytes())),
        ("record_size", number(5, &24_u16.to_be_bytes())),
    ]));
    std::fs::write(path, file).unwrap();
}

/// What stands before a value: its kind and its size.
fn head(kind: u8, size: usize) -> Vec<u8> {
    assert!(size < 29, "longer ones are written otherwise");
    let size = u8::try_from(size).unwrap();
    if kind <= 7 { vec![(kind << 5) | size] } else { vec![size, kind - 7] }
}

fn text(text: &str) -> Vec<u8> {
    [head(2, text.len()), text.as_bytes().to_vec()].concat()
}

/// Kind 5 has 2 bytes, 6 has 4, 9 has 8.
fn number(kind: u8, bytes: &[u8]) -> Vec<u8> {
    [head(kind, bytes.len()), bytes.to_vec()].concat()
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = head(7, entries.len());
    for (key, value) in entries {
        bytes.extend(text(key));
        bytes.extend_from_slice(value);
    }
    bytes
}
