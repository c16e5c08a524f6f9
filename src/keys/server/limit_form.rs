//! The form of one limit, from its texts to a change of it: the same for a key, a workspace, an API, a plan and a group.

use crate::{
    error::{AppError, Fields},
    keys::model::{KeyLimit, LimitChange, LimitUnit, Over, OverAction, TypedLimit, Window},
};

/// What becomes of calls beyond a limit, in texts: an action, its number, its end. An empty action refuses.
#[derive(Debug, Clone, Copy, Default)]
pub struct OverForm<'a> {
    pub over: &'a str,
    pub per_second: &'a str,
    pub until: &'a str,
}

impl OverForm<'_> {
    pub fn read(self, fields: &mut Fields) -> Over {
        let action = match self.over {
            "" | "refuse" => OverAction::Refuse,
            "mark" => OverAction::Mark,
            "throttle" => {
                let number = digits(self.per_second).parse().ok().and_then(Over::throttle);
                fields.check("over_per_second", number.ok_or(Over::NUMBER)).unwrap_or_default().action
            }
            _ => {
                fields.add("over", "Choose what becomes of calls beyond the limit.");
                OverAction::Refuse
            }
        };
        let until = Some(self.until.trim()).filter(|text| !text.is_empty() && action != OverAction::Refuse);
        Over { action, until: until.and_then(|text| fields.check("over_until", Over::end(text))) }
    }
}

/// What a window counts; empty: units.
pub fn read_unit(text: &str, fields: &mut Fields) -> LimitUnit {
    if text.trim().is_empty() { LimitUnit::Units } else { fields.check("unit", text.parse::<LimitUnit>()).unwrap_or_default() }
}

/// A number as people group its digits.
pub fn digits(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ',' | ' ' | '_')).collect()
}

impl TypedLimit {
    /// What the form changes. Nothing that was typed is dropped in silence.
    pub fn read(&self) -> Result<LimitChange, AppError> {
        let was = Some(self.was.trim()).filter(|name| !name.is_empty()).map(str::to_owned);
        let now = if self.act == Self::REMOVE { None } else { Some(self.read_limit()?) };
        let seen = Some(&self.version).filter(|version| !version.is_empty()).cloned();
        Ok(LimitChange { was, now, seen })
    }

    /// What a limit may be beside others is checked where it is set (`rules::limits_after`).
    fn read_limit(&self) -> Result<KeyLimit, AppError> {
        let mut fields = Fields::default();
        let (choice, counts) = match self.window.trim().strip_prefix(Self::CALLS) {
            Some(choice) => (choice, LimitUnit::Calls),
            None => (self.window.trim(), read_unit(&self.unit, &mut fields)),
        };
        let window = self.read_window(choice, &mut fields);
        let unit = match choice {
            credits if credits.starts_with("credits") => "credits",
            together if together.starts_with("concurrent") => "calls",
            _ => counts.as_str(),
        };
        if window.is_some_and(|window| !counts.suits(window)) {
            fields.add("unit", LimitUnit::OF_WINDOWS);
        }
        let limit = digits(self.limit.trim()).parse::<u64>().map_err(|_| format!("Write a whole number of {unit}, for example 2,400."));
        let limit = fields.check("limit", limit);
        if limit.is_some_and(|limit| limit > KeyLimit::MAX_CALLS) {
            fields.add("limit", format!("A limit is at most 4,294,967,295 {unit}."));
        }
        let over = OverForm { over: &self.over, per_second: &self.over_per_second, until: &self.over_until }.read(&mut fields);
        if window.is_some_and(Window::is_concurrent) {
            if limit.is_some_and(|limit| limit > KeyLimit::MAX_AT_ONCE) {
                fields.add("limit", "There are at most 10,000 calls at the same time.");
            }
            if over.action.per_second().is_some() {
                fields.add("over", KeyLimit::AT_ONCE_IS_NOT_SLOWED);
            }
        }
        fields.done()?;
        Ok(KeyLimit { unit: counts, over, ..KeyLimit::new(self.name.trim().to_lowercase(), limit.unwrap_or(0), window.unwrap_or(Window::HOUR)) })
    }

    /// The choice, with the seconds that it asks for, or with what comes back of credits.
    fn read_window(&self, choice: &str, fields: &mut Fields) -> Option<Window> {
        let (refill, seconds) = (self.refill.trim(), self.seconds.trim());
        let comes_back = choice.strip_prefix("credits:").filter(|every| !every.contains('/'));
        let is_typed = Window::TYPED.iter().any(|(typed, _)| *typed == choice);
        if !refill.is_empty() && comes_back.is_none() {
            fields.add("refill", "Only credits come back like this. Choose “credits, some back every …” under “Of what”, or clear this field.");
        }
        if !seconds.is_empty() && !is_typed {
            fields.add("seconds", "“Of what” says how long already. Choose “in so many seconds” there, or clear this field.");
        }
        if is_typed {
            let read = digits(seconds).parse::<u32>().ok();
            let (window, words) = match choice {
                Window::ROLLING_SECONDS => (read.and_then(|n| Window::rolling(n).ok()), "Write whole minutes in seconds: 60, 120 … 2,678,400 (31 days)."),
                _ => (read.and_then(|n| Window::seconds(n).ok()), "Write how many seconds: 1 to 2,678,400 (31 days)."),
            };
            return fields.check("seconds", window.ok_or(words));
        }
        match comes_back {
            Some(every) => {
                let units = digits(refill).parse::<u32>().ok().filter(|units| *units > 0);
                let units = fields.check("refill", units.ok_or("Write how many credits come back each time: 1 to 4,294,967,295."));
                units.and_then(|units| fields.check("window", format!("credits:{units}/{every}").parse::<Window>()))
            }
            None => fields.check("window", choice.parse::<Window>()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(limit: &str, window: &str) -> TypedLimit {
        TypedLimit { name: "burst".to_owned(), limit: limit.to_owned(), window: window.to_owned(), ..TypedLimit::default() }
    }

    #[test]
    fn a_form_is_one_limit_with_its_name() {
        let read = |form: TypedLimit| form.read().ok().and_then(|change| change.now).map(|limit| (limit.name.clone(), limit.words()));
        let named = |name: &str, words: &str| Some((name.to_owned(), words.to_owned()));
        assert_eq!(read(form("2,400", "3600")), named("burst", "2,400 units an hour"));
        assert_eq!(read(TypedLimit { name: " Day ".to_owned(), ..form("5", "month@Europe/Stockholm") }), named("day", "5 units a month (Europe/Stockholm)"));
        assert_eq!(read(TypedLimit { name: String::new(), ..form("5", "60") }), named("", "5 units a minute"));
        assert_eq!(read(TypedLimit { seconds: "90".to_owned(), ..form("5", "seconds") }), named("burst", "5 units in 90 seconds"));
        assert_eq!(read(TypedLimit { seconds: "7,200".to_owned(), ..form("5", "rolling") }), named("burst", "5 units in any 2 hours"));
        assert_eq!(read(TypedLimit { unit: "calls".to_owned(), ..form("5", "60") }), named("burst", "5 calls a minute"));
        assert_eq!(read(form("5", "calls:month@Europe/Stockholm")), named("burst", "5 calls a month (Europe/Stockholm)"));
        assert_eq!(read(TypedLimit { seconds: "120".to_owned(), ..form("5", "calls:rolling") }), named("burst", "5 calls in any 2 minutes"));
        assert_eq!(read(TypedLimit { refill: "2".to_owned(), ..form("5", "credits:3600") }), named("burst", "5 credits, +2 every hour"));
        let removed = TypedLimit { was: "burst".to_owned(), act: TypedLimit::REMOVE.to_owned(), ..TypedLimit::default() }.read();
        assert_eq!(removed.ok(), Some(LimitChange { was: Some("burst".to_owned()), now: None, seen: None }));
    }

    #[test]
    fn what_is_wrong_stands_beside_its_field() {
        for (form, field) in [
            (form("", "3600"), "limit"),
            (form("many", "3600"), "limit"),
            (form("4294967296", "3600"), "limit"),
            (form("5", "fortnight"), "window"),
            (form("5", "calls:fortnight"), "window"),
            (form("5", "calls:credits"), "unit"),
            (form("5", "seconds"), "seconds"),
            (TypedLimit { seconds: "0".to_owned(), ..form("5", "seconds") }, "seconds"),
            (TypedLimit { seconds: "90".to_owned(), ..form("5", "rolling") }, "seconds"),
            (TypedLimit { seconds: "90".to_owned(), ..form("5", "3600") }, "seconds"),
            (TypedLimit { refill: "90".to_owned(), ..form("5", "3600") }, "refill"),
            (form("5", "credits:3600"), "refill"),
            (form("10001", "concurrent:30"), "limit"),
            (TypedLimit { unit: "bytes".to_owned(), ..form("5", "3600") }, "unit"),
            (TypedLimit { unit: "calls".to_owned(), ..form("5", "credits") }, "unit"),
            (TypedLimit { unit: "calls".to_owned(), ..form("5", "concurrent:30") }, "unit"),
        ] {
            assert!(form.read().is_err_and(|error| error.field(field).is_some()), "{form:?}");
        }
    }
}
