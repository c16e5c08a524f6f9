//! Addresses with a query: filters live in URLs.

/// An address with these parameters.
pub fn link<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut link = path.to_owned();
    for (name, value) in pairs {
        link.push(if link.contains('?') { '&' } else { '?' });
        link.push_str(name);
        link.push('=');
        encode(value, &mut link);
    }
    link
}

/// Percent-encodes a value of a query (RFC 3986, 2.3: all but the unreserved characters).
fn encode(value: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_and_parameters_joined() {
        assert_eq!(link("/keys", []), "/keys");
        assert_eq!(link("/keys", [("q", "a b&c=ü"), ("tag", "x-y_z.~")]), "/keys?q=a%20b%26c%3D%C3%BC&tag=x-y_z.~");
        assert_eq!(link("/keys?tag=a", [("q", "b")]), "/keys?tag=a&q=b");
    }
}
