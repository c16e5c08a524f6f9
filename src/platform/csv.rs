//! Comma-separated values (RFC 4180): written so that a spreadsheet opens them without running anything, and read.

use serde::Serialize;
use std::borrow::Cow;

/// What can stand in a file: as a line under a head, and as an object of JSON.
pub trait Row: Serialize {
    const HEAD: &'static [&'static str];
    /// As many as the head has.
    fn cells(&self) -> Vec<Cow<'_, str>>;
}

/// The head alone.
pub fn head<R: Row>(out: &mut String) {
    line(R::HEAD.iter().copied(), out);
}

/// The lines of these rows, without the head.
pub fn lines<R: Row>(rows: &[R], out: &mut String) {
    for row in rows {
        let cells = row.cells();
        line(cells.iter().map(|cell| &**cell), out);
    }
}

/// A whole file.
pub fn table<R: Row>(rows: &[R]) -> String {
    let mut out = String::with_capacity(160 * (rows.len() + 1));
    head::<R>(&mut out);
    lines(rows, &mut out);
    out
}

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

/// The lines of a file with the number each begins at, blank ones left out. Quoted cells may hold commas, quotes and line ends. Between
/// the cells stand commas, or what the first line has between its own: semicolons, as spreadsheets write where a comma is in numbers, or tabs,
/// as they copy.
pub fn read(text: &str) -> Vec<(usize, Vec<String>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let between = separator(text);
    let (mut lines, mut cells, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut number, mut begins, mut is_quoted) = (1, 1, false);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        number += usize::from(c == '\n');
        match c {
            '"' if is_quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
            '"' if is_quoted => is_quoted = false,
            '"' if cell.is_empty() => is_quoted = true,
            _ if is_quoted => cell.push(c),
            _ if c == between => cells.push(std::mem::take(&mut cell)),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' => {
                cells.push(std::mem::take(&mut cell));
                lines.push((begins, std::mem::take(&mut cells)));
                begins = number;
            }
            _ => cell.push(c),
        }
    }
    cells.push(cell);
    lines.push((begins, cells));
    lines.retain(|(_, cells)| cells.iter().any(|cell| !cell.trim().is_empty()));
    lines
}

/// What stands most often between the cells of the first line, outside quotes; a comma where nothing does.
fn separator(text: &str) -> char {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    // What stands in quotes is every second piece; a doubled quote is two of them with nothing between.
    let count = |separator: char| first.split('"').step_by(2).map(|piece| piece.matches(separator).count()).sum::<usize>();
    let (commas, semicolons, tabs) = (count(','), count(';'), count('\t'));
    match () {
        () if semicolons > commas.max(tabs) => ';',
        () if tabs > commas.max(semicolons) => '\t',
        () => ',',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let text = "\u{feff}name,hash\r\n\"a,b\",\"say \"\"x\"\"\"\n\n\"two\nlines\",2\nlast,";
        let cells = |line: &[&str]| line.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        assert_eq!(read(text), [(1, cells(&["name", "hash"])), (2, cells(&["a,b", "say \"x\""])), (4, cells(&["two\nlines", "2"])), (6, cells(&["last", ""]))]);
        assert!(read("").is_empty() && read("\n \n").is_empty());
    }

    #[test]
    fn the_first_line_says_what_stands_between_cells() {
        let cells = |text: &str| read(text).pop().map(|(_, cells)| cells.join("|"));
        for (text, last) in [
            ("name;tags;expires\r\ntill;\"a;b\";\r\n", "till|a;b|"),
            ("name;tags\nshop, Berlin;a,b\n", "shop, Berlin|a,b"),
            ("\n\"name\";\"more, or, less\"\na;b\n", "a|b"),
            ("name\ttags\ntill\ta b\n", "till|a b"),
            ("name,tags\ntill,a;b\n", "till|a;b"),
            ("name\na;b\n", "a;b"),
        ] {
            assert_eq!(cells(text).as_deref(), Some(last), "{text:?}");
        }
    }

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
