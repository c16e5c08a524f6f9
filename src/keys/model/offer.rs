//! What the form of a limit offers to count, in groups: units or calls of the usual windows, calls at the same time, credits.

use super::{LimitKind, LimitUnit, TypedLimit, Unit, Window, Zone, hold_words, refill::lasting};

/// A heading, and the choices below it: value and words.
pub type OfferGroup = (&'static str, Vec<(String, String)>);

impl Window {
    /// What a form offers: the usual windows and days and months of a zone, of units and of calls; rolling ones; those whose seconds are typed;
    /// calls at the same time; credits; and the present one if it is another.
    pub fn offered(present: Self, zone: Option<&str>) -> Vec<OfferGroup> {
        let mut fixed = Self::USUAL.to_vec();
        if let Some(zone) = zone.filter(|zone| *zone != Self::UTC).and_then(Zone::new) {
            fixed.extend([Self::Local(Unit::Day, zone), Self::Local(Unit::Month, zone)]);
        }
        let (mut rolling, mut holds) = (Self::ROLLING.to_vec(), Self::HOLDS.to_vec());
        let beside = match present.kind() {
            LimitKind::Fixed => Some(&mut fixed),
            LimitKind::Rolling => Some(&mut rolling),
            LimitKind::Concurrent => Some(&mut holds),
            LimitKind::Credits => None,
        };
        if let Some(windows) = beside
            && !windows.contains(&present)
        {
            windows.push(present);
            windows.sort_unstable();
        }
        let [typed, typed_rolling] = Self::TYPED;
        let rolling = [LimitUnit::Units, LimitUnit::Calls].map(|unit| of_windows(&rolling, typed_rolling, unit)).concat();
        vec![
            ("Units: each call counts what it costs", of_windows(&fixed, typed, LimitUnit::Units)),
            ("Calls: each counts once", of_windows(&fixed, typed, LimitUnit::Calls)),
            ("Rolling: any stretch of this length", rolling),
            ("At the same time", holds.into_iter().map(|window| (window.to_string(), window.hold_offer())).collect()),
            ("Credits", present.offered_credits()),
        ]
    }

    fn offered_credits(self) -> Vec<(String, String)> {
        let mut intervals = Self::REFILLS.to_vec();
        intervals.extend(self.refill().map(|refill| refill.seconds).filter(|seconds| !Self::REFILLS.contains(seconds)));
        let offer = |seconds| match seconds {
            0 => ("credits".to_owned(), "credits, prepaid".to_owned()),
            seconds => (format!("credits:{seconds}"), format!("credits, some back every {}", lasting(seconds))),
        };
        intervals.into_iter().map(offer).collect()
    }

    /// Of calls at the same time, behind a number.
    fn hold_offer(self) -> String {
        format!("{}, each for {} at most", self.unit_words(), hold_words(self.hold().unwrap_or_default()))
    }

    /// The choice of `offered` that this is; how many credits come back stands in a field of its own.
    pub fn choice(self, unit: LimitUnit) -> String {
        match self {
            Self::Credits(refill) if !refill.is_prepaid() => format!("credits:{}", refill.seconds),
            other => of_unit(&other.to_string(), unit),
        }
    }

    /// How often credits come back in the choices of forms; 0: never.
    const REFILLS: [u32; 4] = [0, 60, 3_600, 86_400];

    /// What a limit with this window is called where nobody gave it a name.
    pub fn usual_name(self) -> String {
        match self {
            Self::Seconds(1) => "second".to_owned(),
            Self::Seconds(60) => "minute".to_owned(),
            Self::Seconds(3_600) => "hour".to_owned(),
            Self::Seconds(86_400) | Self::Local(Unit::Day, _) => "day".to_owned(),
            Self::Month | Self::Local(Unit::Month, _) => "month".to_owned(),
            Self::Seconds(seconds) => format!("{seconds}-seconds"),
            Self::Rolling(60) => "rolling-minute".to_owned(),
            Self::Rolling(3_600) => "rolling-hour".to_owned(),
            Self::Rolling(86_400) => "rolling-day".to_owned(),
            Self::Rolling(2_592_000) => "rolling-month".to_owned(),
            Self::Rolling(seconds) => format!("rolling-{seconds}-seconds"),
            Self::Credits(_) => "credits".to_owned(),
            Self::Concurrent(_) => "together".to_owned(),
        }
    }
}

/// These windows, and the one whose seconds are typed.
fn of_windows(windows: &[Window], (typed, words): (&str, &str), unit: LimitUnit) -> Vec<(String, String)> {
    let typed = (of_unit(typed, unit), words.replacen(LimitUnit::Units.as_str(), unit.as_str(), 1));
    windows.iter().map(|window| (window.choice(unit), unit.unit_words(*window))).chain([typed]).collect()
}

fn of_unit(choice: &str, unit: LimitUnit) -> String {
    if unit.is_calls() { format!("{}{choice}", TypedLimit::CALLS) } else { choice.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_offers_units_calls_places_and_credits_and_what_is_set() {
        let has = |present: Window, value: &str, words: &str| {
            let groups = Window::offered(present, Some("Europe/Stockholm"));
            groups.iter().any(|(_, choices)| choices.contains(&(value.to_owned(), words.to_owned())))
        };
        for (present, value, words) in [
            (Window::HOUR, "3600", "units an hour"),
            (Window::HOUR, "calls:3600", "calls an hour"),
            (Window::HOUR, "calls:month@Europe/Stockholm", "calls a month (Europe/Stockholm)"),
            (Window::HOUR, "seconds", "units in so many seconds"),
            (Window::HOUR, "calls:rolling", "calls in any so many seconds"),
            (Window::HOUR, "rolling:3600", "units in any hour"),
            (Window::HOUR, "credits", "credits, prepaid"),
            (Window::Seconds(90), "calls:90", "calls in 90 seconds"),
            (Window::Concurrent(45), "concurrent:45", "calls at the same time, each for 45 seconds at most"),
            (Window::Concurrent(45), "concurrent:3600", "calls at the same time, each for 1 hour at most"),
        ] {
            assert!(has(present, value, words), "{value}: {words}");
        }
        let ten = Window::credits(5, 600).expect("credits");
        assert!(has(ten, &ten.choice(LimitUnit::Units), "credits, some back every 10 minutes"));
        assert_eq!([LimitUnit::Units, LimitUnit::Calls].map(|unit| Window::Month.choice(unit)), ["month", "calls:month"]);
    }
}
