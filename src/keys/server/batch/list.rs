//! Lists of new keys as people write them: CSV whose first line names the columns.

use super::BatchKey;
use crate::{
    error::{AppError, FieldError, Fields},
    keys::{
        model::{Environment, KeyLimit, LimitKind, LimitUnit, NewKey, Preset, Window},
        server::{about, rules},
    },
    platform::{LocalTime, csv},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The columns that a list may have; only the first is needed.
const COLUMNS: [&str; 14] = [
    "name",
    "permissions",
    "preset",
    "bundles",
    "expires",
    "tags",
    "external_id",
    "meta",
    "addresses",
    "origins",
    "routes",
    "environment",
    "limits",
    "account",
];

/// A list is at most this long: a thousand lines of a thousand bytes.
const BYTES: usize = 1 << 20;

/// Reads a file. A wrong head refuses it whole, a wrong cell stands with its line. Days are those of `local`.
pub fn read_lines(text: &str, local: &LocalTime) -> Result<Vec<BatchKey>, AppError> {
    if text.len() > BYTES {
        return Err(AppError::invalid("list", "A list has at most 1 MiB, and 1,000 keys."));
    }
    if text.contains('\0') {
        return Err(AppError::invalid("list", "The list holds a NUL character: it is no text."));
    }
    let mut lines = csv::read(text).into_iter();
    let (_, head) = lines.next().ok_or_else(|| AppError::invalid("list", "The list is empty."))?;
    let head = columns(&head)?;
    Ok(lines.map(|(number, cells)| line(number, &head, &cells, local)).collect())
}

fn columns(head: &[String]) -> Result<Vec<&'static str>, AppError> {
    let mut known = Vec::with_capacity(head.len());
    for cell in head {
        let cell = cell.trim().to_lowercase();
        let column = COLUMNS.into_iter().find(|column| *column == cell).ok_or_else(|| {
            let shown: String = cell.chars().take(40).collect();
            AppError::invalid(
                "list",
                format!("The first line names the columns: name and, as you like, {}. “{shown}” is none of them.", COLUMNS[1..].join(", ")),
            )
        })?;
        if known.contains(&column) {
            return Err(AppError::invalid("list", format!("The column {column} stands there twice.")));
        }
        known.push(column);
    }
    if known.contains(&COLUMNS[0]) { Ok(known) } else { Err(AppError::invalid("list", "The first line names the columns, and one of them is name.")) }
}

fn line(number: usize, head: &[&'static str], cells: &[String], local: &LocalTime) -> BatchKey {
    let cell = |column: &str| {
        let at = head.iter().position(|known| *known == column);
        at.and_then(|at| cells.get(at)).map(|text| text.trim()).filter(|text| !text.is_empty())
    };
    let words = |column: &str| -> Option<Vec<String>> {
        let words = cell(column)?.split([',', ';', ' ', '\n', '\r', '\t']);
        Some(words.filter(|word| !word.is_empty()).map(str::to_owned).collect())
    };
    // A method and a path have a space between.
    let routes = cell("routes").map(|text| text.split([';', '\n', '\r']).filter(|route| !route.trim().is_empty()).map(str::to_owned).collect::<Vec<String>>());
    let mut fields = Fields::default();
    if cells.iter().skip(head.len()).any(|text| !text.trim().is_empty()) {
        fields.add("", "This line has more cells than the first one. A cell with a comma stands in quotes.");
    }
    let mut preset = cell("preset").and_then(|text| fields.check("preset", Preset::parse(text).ok_or(rules::PRESET)));
    let mut permissions = words("permissions");
    if let Some(named) = permissions.as_deref().and_then(Preset::named) {
        permissions = None;
        if cell("preset").is_some() {
            fields.add("preset", rules::EITHER);
        }
        preset = Some(named);
    }
    let expires_at = cell("expires").and_then(|text| fields.check("expires", end(text, local)).flatten());
    let environment = match cell("environment") {
        None | Some("live") => Environment::Live,
        Some("test") => Environment::Test,
        Some(_) => {
            fields.add("environment", "A key is for live or for test.");
            Environment::Live
        }
    };
    let limits = cell("limits").and_then(|text| fields.check("limits", limits(text))).unwrap_or_default();
    let meta = cell("meta").and_then(|text| fields.check("meta", about::typed(text))).unwrap_or_default();
    let errors: Vec<FieldError> = match fields.done() {
        Err(AppError::Invalid { fields }) => fields,
        _ => Vec::new(),
    };
    let new = NewKey {
        name: cell("name").unwrap_or_default().to_owned(),
        api: None,
        permissions,
        preset,
        bundles: words("bundles").unwrap_or_default(),
        addresses: words("addresses").unwrap_or_default(),
        origins: words("origins").unwrap_or_default(),
        routes: routes.unwrap_or_default(),
        tags: words("tags").unwrap_or_default(),
        external_id: cell("external_id").map(str::to_owned),
        meta,
        expires_at,
        environment,
        once: None,
    };
    BatchKey { number, new, limits, account: cell("account").map(str::to_owned), errors }
}

/// "30d", "never", "2027-01-31" (when that day begins) or a moment of RFC 3339.
fn end(text: &str, local: &LocalTime) -> Result<Option<OffsetDateTime>, &'static str> {
    let lasting = rules::lifetime(text).map(|lifetime| lifetime.map(|l| local.now() + l));
    // The moment first: what reads days takes its day, and leaves its hour.
    let moment = || OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| local.start_of(text)).map(Some);
    lasting.or_else(|_| moment().ok_or("Write how long it lasts (12h, 30d, 8w, 1y), a day (2027-01-31), or never."))
}

/// "100/hour 2000/day": several are called by their windows.
pub fn limits(text: &str) -> Result<Vec<KeyLimit>, &'static str> {
    const RULE: &str = "Write limits as units in a window: 100/hour, or 100/hour 2000/day. A window is seconds, or second, minute, hour, day or month; rolling:hour rolls. 100calls/hour counts calls, whatever each costs. 1000/credits:100/hour is 1000 credits, and 100 more every hour; 5/concurrent:30 is 5 at the same time, each for 30 seconds at most.";
    let words: Vec<&str> = text.split([',', ';', ' ']).filter(|word| !word.is_empty()).collect();
    let one = |word: &&str| -> Result<KeyLimit, &'static str> {
        let (number, window) = word.split_once('/').ok_or(RULE)?;
        let (number, unit) = number.strip_suffix("calls").map_or((number, LimitUnit::Units), |number| (number, LimitUnit::Calls));
        let read = window.parse::<Window>().map_err(|_| RULE)?;
        let name = match read.kind() {
            _ if words.len() == 1 => KeyLimit::DEFAULT.to_owned(),
            LimitKind::Fixed | LimitKind::Rolling => named_by(window),
            LimitKind::Credits | LimitKind::Concurrent => read.kind().as_str().to_owned(),
        };
        Ok(KeyLimit { unit, ..KeyLimit::new(name, number.parse().map_err(|_| RULE)?, read) })
    };
    words.iter().map(one).collect()
}

/// A window's text as the name of a limit: "day@Europe/Stockholm" is "day-europe-stockholm".
fn named_by(window: &str) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    window.chars().map(clean).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn local() -> LocalTime {
        LocalTime::new("Europe/Stockholm", datetime!(2026-11-20 12:00 UTC))
    }

    #[test]
    fn a_list_is_read_as_spreadsheets_write_it() {
        let text = "\u{feff}Name,permissions,expires,tags,limits\r\n\"till, \"\"main\"\"\",orders:read orders:write,30d,\"prod,shop\",100/hour 2000/day\r\n\r\nplain\r\n";
        let lines = read_lines(text, &local()).expect("a list");
        let [till, plain] = &lines[..] else { panic!("two lines") };
        assert_eq!((till.number, till.new.name.as_str(), plain.number, plain.new.name.as_str()), (2, "till, \"main\"", 4, "plain"));
        assert_eq!(till.new.permissions, Some(vec!["orders:read".to_owned(), "orders:write".to_owned()]));
        assert_eq!((till.new.expires_at, till.new.tags.len()), (Some(datetime!(2026-12-20 12:00 UTC)), 2));
        let limits: Vec<String> = till.limits.iter().map(|l| format!("{} {}", l.name, l.words())).collect();
        assert_eq!(limits, ["hour 100 units an hour", "day 2,000 units a day"]);
        let rolling: Vec<_> = super::limits("5/rolling:minute 9/day").expect("limits").into_iter().map(|l| (l.name, l.window)).collect();
        assert_eq!(rolling, [("rolling-minute".to_owned(), Window::Rolling(60)), ("day".to_owned(), Window::DAY)]);
        let zoned: Vec<_> = super::limits("2000/day@Europe/Stockholm 9/hour").expect("limits").into_iter().map(|l| l.name).collect();
        assert_eq!(zoned, ["day-europe-stockholm", "hour"], "names of limits are a-z, 0-9, - and _");
        let kinds: Vec<_> =
            super::limits("1000/credits:50/hour 5/concurrent:30").expect("limits").into_iter().map(|l| (l.name, l.window.to_string())).collect();
        assert_eq!(kinds, [("credits".to_owned(), "credits:50/3600".to_owned()), ("concurrent".to_owned(), "concurrent:30".to_owned())]);
        assert!(till.errors.is_empty() && plain.errors.is_empty() && plain.new.permissions.is_none());
    }

    #[test]
    fn semicolons_and_tabs_may_stand_between_cells() {
        for text in
            ["name;permissions;tags\ntill;orders:read orders:write;shop,berlin\n", "name\tpermissions\ttags\ntill\torders:read orders:write\tshop berlin\n"]
        {
            let lines = read_lines(text, &local()).expect("a list");
            assert_eq!((lines[0].new.permissions.as_ref().map(Vec::len), lines[0].new.tags.join(" ")), (Some(2), "shop berlin".to_owned()), "{text:?}");
            assert!(lines[0].errors.is_empty());
        }
    }

    #[test]
    fn a_preset_may_stand_where_permissions_do() {
        let text = "name,permissions,preset,bundles\na,admin,,\nb,read-only,basic,\nc,admin orders:read,,\nd,,,desk;tills\n";
        let lines = read_lines(text, &local()).expect("a list");
        let [alone, twice, among, held] = &lines[..] else { panic!("four lines") };
        assert_eq!((alone.new.preset, &alone.new.permissions, alone.errors.len()), (Some(Preset::Admin), &None, 0));
        assert_eq!(twice.errors.iter().map(|e| e.message.as_str()).collect::<Vec<_>>(), [rules::EITHER]);
        assert_eq!(among.new.permissions.as_ref().map(Vec::len), Some(2), "beside others it is a permission, which there is not");
        assert_eq!((held.new.bundles.join(" "), held.new.preset), ("desk tills".to_owned(), None));
    }

    #[test]
    fn days_begin_where_the_person_is() {
        assert_eq!(end("2027-01-31", &local()), Ok(Some(datetime!(2027-01-30 23:00 UTC))));
        assert_eq!(end("2027-01-31T00:00:00Z", &local()), Ok(Some(datetime!(2027-01-31 0:00 UTC))));
        assert_eq!(end("2027-01-31T12:00:00+02:00", &local()), Ok(Some(datetime!(2027-01-31 10:00 UTC))));
        assert_eq!(end("never", &local()), Ok(None));
        assert!(end("soon", &local()).is_err());
    }

    #[test]
    fn wrong_heads_refuse_the_list_and_wrong_cells_their_line() {
        for wrong in ["", "\n", "permissions\nx", "name,secret\nx,y", "name,name\nx,y", "name\nx\0"] {
            assert!(read_lines(wrong, &local()).is_err(), "{wrong:?}");
        }
        let lines = read_lines("name,preset,expires,environment,limits\na,b,c,d,e,f\n", &local()).expect("a list");
        let fields: Vec<&str> = lines[0].errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["", "preset", "expires", "environment", "limits"]);
    }
}
