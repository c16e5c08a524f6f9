//! Comma-separated values (RFC 4180) that a spreadsheet opens without running anything.

/// One line, CRLF included.
pub fn line<'a>(cells: impl IntoIterator<Item = &'a str>, out: &mut String) {
    for (i, text) in cells.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        cell(text, out);
    }
    out.push_str("\r\n");
}

/// Quotes where needed. A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection).
fn cell(text: &str, out: &mut String) {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let needs_quotes = is_formula || text.contains([',', '"', '\r', '\n', ';']) || text.starts_with(' ') || text.ends_with(' ');
    if !needs_quotes {
        out.push_str(text);
        return;
    }
    out.push('"');
    if is_formula {
        out.push('\'');
    }
    for c in text.chars() {
        if c == '"' {
            out.push('"');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(cells: &[&str]) -> String {
        let mut out = String::new();
        line(cells.iter().copied(), &mut out);
        out
    }

    #[test]
    fn plain_cells_stay_plain() {
        assert_eq!(written(&["2026-11-20", "checkout service", "", "12"]), "2026-11-20,checkout service,,12\r\n");
    }

    #[test]
    fn quotes_and_commas_are_quoted() {
        assert_eq!(written(&["a,b", "say \"x\"", "two\nlines"]), "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\r\n");
    }

    #[test]
    fn nothing_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(written(&[formula]).starts_with("\"'"), "{formula:?}");
        }
        assert_eq!(written(&["=HYPERLINK(\"http://evil\")"]), "\"'=HYPERLINK(\"\"http://evil\"\")\"\r\n");
    }
}
