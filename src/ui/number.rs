//! Numbers as people read them: thousands with commas, shares with two digits where they matter, short forms on axes.

use crate::values::Language;

/// 1097638 as "1,097,638".
pub fn thousands(n: u64) -> String {
    Language::En.thousands(n)
}

/// Three figures and a unit: "950", "20k", "1.68 M". For axes and forecasts, never for what is billed.
pub fn short(n: u64) -> String {
    let (unit, of) = match n {
        0..1_000 => return n.to_string(),
        1_000..1_000_000 => ("k", 1e3),
        1_000_000..1_000_000_000 => (" M", 1e6),
        1_000_000_000..1_000_000_000_000 => (" G", 1e9),
        _ => (" T", 1e12),
    };
    let value = n as f64 / of;
    let digits = if value < 10.0 {
        2
    } else if value < 100.0 {
        1
    } else {
        0
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// How large a file is: "950 B", "20 kB", "1.68 MB".
pub fn bytes(n: u64) -> String {
    let text = short(n);
    match text.strip_suffix('k') {
        Some(figure) => format!("{figure} kB"),
        None if n < 1_000 => format!("{text} B"),
        None => format!("{text}B"),
    }
}

/// The share of `part` in `whole`: "99.23 %", "16.7 %", "100 %", "1,640 %"; a dash where there is no whole.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    match percent {
        _ if part == whole => "100 %".to_owned(),
        _ if part == 0 => "0 %".to_owned(),
        // More than all of it: calls beyond a limit that lets them pass, or a limit that was lowered.
        p if p > 100.0 => format!("{} %", thousands((p.round() as u64).max(101))),
        // Near the ends a rounded share would lie: 99.996 % is not 100 %.
        p if p >= 99.995 => "99.99 %".to_owned(),
        p if p < 0.005 => "< 0.01 %".to_owned(),
        p if !(1.0..=99.0).contains(&p) => format!("{p:.2} %"),
        p => format!("{p:.1} %"),
    }
}

/// How much more or less: "+12.3 %", "−4 %", "no change"; "new" where nothing was.
pub fn change(was: u64, now: u64) -> String {
    match (was, now) {
        _ if was == now => "no change".to_owned(),
        (0, _) => "new".to_owned(),
        _ => {
            let percent = (now as f64 - was as f64) * 100.0 / was as f64;
            let sign = if percent < 0.0 { '−' } else { '+' };
            let digits = usize::from(percent.abs() < 99.95);
            format!("{sign}{:.digits$} %", percent.abs())
        }
    }
}

/// Microseconds as people read them: "0.11 ms", "11.3 ms", "1.2 s".
pub fn millis(micros: u64) -> String {
    let tenths = |unit: u64| (micros * 10 + unit / 2) / unit;
    let (n, unit) = match micros {
        0..1_000 => return format!("{}.{:02} ms", micros / 1_000, micros % 1_000 / 10),
        1_000..1_000_000 => (tenths(1_000), "ms"),
        _ => (tenths(1_000_000), "s"),
    };
    if n >= 1_000 { format!("{} {unit}", thousands((n + 5) / 10)) } else { format!("{}.{} {unit}", n / 10, n % 10) }
}

/// "1 key", "2 keys".
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit_behind_a_space() {
        assert_eq!([0, 950, 20_400, 1_680_000].map(bytes), ["0 B", "950 B", "20.4 kB", "1.68 MB"]);
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(1_097_638), "1,097,638");
        assert_eq!(thousands(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn short_forms_keep_three_figures() {
        assert_eq!(short(950), "950");
        assert_eq!(short(1_000), "1k");
        assert_eq!(short(20_000), "20k");
        assert_eq!(short(120_000), "120k");
        assert_eq!(short(2_500), "2.5k");
        assert_eq!(short(1_675_783), "1.68 M");
        assert_eq!(short(3_000_000_000), "3 G");
    }

    #[test]
    fn a_change_has_a_sign() {
        assert_eq!(change(1_000, 1_123), "+12.3 %");
        assert_eq!(change(1_000, 960), "−4.0 %");
        assert_eq!(change(10, 35), "+250 %");
        assert_eq!((change(7, 7).as_str(), change(0, 7).as_str(), change(7, 0).as_str()), ("no change", "new", "−100 %"));
    }

    #[test]
    fn times_have_two_or_three_figures() {
        assert_eq!((millis(109).as_str(), millis(11_314).as_str(), millis(143_700).as_str()), ("0.10 ms", "11.3 ms", "144 ms"));
        assert_eq!((millis(1_234_000).as_str(), millis(3_600_000_000).as_str()), ("1.2 s", "3,600 s"));
    }

    #[test]
    fn a_share_never_rounds_to_all_or_nothing() {
        assert_eq!(share(1, 0), "–");
        assert_eq!(share(0, 10), "0 %");
        assert_eq!(share(10, 10), "100 %");
        assert_eq!(share(999_999, 1_000_000), "99.99 %");
        assert_eq!(share(1, 1_000_000), "< 0.01 %");
        assert_eq!(share(1_635_020, 1_647_739), "99.23 %");
        assert_eq!(share(167, 1_000), "16.7 %");
        assert_eq!([share(1_640, 100), share(1_001, 1_000), share(90_000, 100)], ["1,640 %", "101 %", "90,000 %"], "more than all");
    }
}
