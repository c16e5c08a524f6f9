//! Which stretch of time is meant, cut into buckets: from the texts of a query to edges on the person's calendar.

use super::calendar::Calendar;
use crate::{
    error::{AppError, Fields},
    ui::number::thousands,
    usage::model::{BucketSize, Range, UsageQuery},
};
use jiff::{Timestamp, ToSpan, civil};

/// A page shows at most this many bars: a month by hours.
pub const MOST_BARS: usize = 750;

/// Where it shows minutes, or five of them: an hour or six, and the rest of the quarters of an hour that they begin and end in.
const MOST_MINUTES: usize = 90;
const MOST_FIVES: usize = 78;

/// A file that a job writes may have more: two years by hours, two months by minutes.
const MOST_OF_FILE: usize = 100_000;

/// Quarters of an hour are what most counts are kept by.
const QUARTER: i64 = 900;

/// The longest stretch, in days.
const MOST_DAYS: i64 = 732;

/// A stretch of time in buckets.
#[derive(Debug, Clone)]
pub struct Span {
    pub range: Range,
    pub size: BucketSize,
    /// Where each bucket begins, and where the last one ends.
    pub edges: Vec<Timestamp>,
}

impl Span {
    pub fn buckets(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }
    pub fn start(&self) -> Timestamp {
        self.edges.first().copied().unwrap_or_default()
    }
    pub fn end(&self) -> Timestamp {
        self.edges.last().copied().unwrap_or_default()
    }

    /// Where quarters of an hour begin in it, from its beginning on, and where it ends.
    pub fn quarters(&self) -> Vec<Timestamp> {
        let begin = |at: i64| Timestamp::from_second(at * QUARTER).ok();
        let (first, end) = (self.start().as_second().div_euclid(QUARTER), self.end());
        let mut edges: Vec<Timestamp> = (first..).map_while(begin).take_while(|at| *at < end).collect();
        edges.push(end);
        edges
    }
}

/// For what a stretch is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    Page,
    /// One that a job writes.
    File,
}

/// Reads `range`, `bucket`, `from` and `to`; every wrong one is named.
pub fn read(query: &UsageQuery, calendar: &Calendar, now: Timestamp, what: For) -> Result<Span, AppError> {
    let mut fields = Fields::default();
    let range = match (&query.from, &query.to, &query.range) {
        (None, None, None) => Some(Range::Days30),
        (None, None, Some(word)) => fields.check("range", Range::parse(word).ok_or("A range is 24h, 7d, 30d, month or year.")),
        (None, Some(_), _) => fields.check("from", Err("Say from when, too.")),
        (Some(_), ..) => Some(Range::Between),
    };
    let size =
        query.bucket.as_ref().and_then(|word| fields.check("bucket", BucketSize::parse(word).ok_or("A bucket is minute, 5m, hour, day, week or month.")));
    let from = query.from.as_ref().and_then(|text| fields.check("from", moment(text, calendar, false)));
    let to = query.to.as_ref().and_then(|text| fields.check("to", moment(text, calendar, true)));
    fields.done()?;
    let range = range.unwrap_or(Range::Days30);
    let (from, to) = match range {
        Range::Between => {
            let (from, to) = (from.unwrap_or(now), to.unwrap_or(now));
            check_order(from, to, now)?;
            (from, to)
        }
        offered => (begin(offered, calendar, now).ok_or_else(too_long)?, now),
    };
    let size = size.unwrap_or_else(|| usual(range, to.as_second() - from.as_second()));
    // The bucket that `now` lies in belongs to it: `to` is an end, so it must lie behind `now`.
    let to = if to == now { now.checked_add(1.nanosecond()).unwrap_or(now) } else { to };
    let (from, to) = if size.is_minutes() { whole_quarters(from, to, now) } else { (from, to) };
    let most = if what == For::File { MOST_OF_FILE } else { most_bars(size) };
    let edges = calendar.edges(from, to, size, most).ok_or_else(|| too_many(size, most))?;
    Ok(Span { range, size, edges })
}

/// Outward to quarters of an hour, which the tables beside a chart of minutes are read by, so that all speak of the same time; of the one that
/// is not over as far as it has come.
fn whole_quarters(from: Timestamp, to: Timestamp, now: Timestamp) -> (Timestamp, Timestamp) {
    let quarter = |seconds: i64, usual: Timestamp| Timestamp::from_second(seconds.div_euclid(QUARTER) * QUARTER).unwrap_or(usual);
    let part = i64::from(to.subsec_nanosecond() > 0);
    let end = quarter(to.as_second() + part + QUARTER - 1, to);
    let open = now.checked_add(1.nanosecond()).unwrap_or(now).max(to);
    (quarter(from.as_second(), from), if end > now { open } else { end })
}

const fn most_bars(size: BucketSize) -> usize {
    match size {
        BucketSize::Minute => MOST_MINUTES,
        BucketSize::FiveMinutes => MOST_FIVES,
        _ => MOST_BARS,
    }
}

/// `from` and `to` of the REST API: RFC 3339 instants (or days), whole buckets outward, at most `most` of them.
pub fn read_between(from: Timestamp, to: Timestamp, size: BucketSize, calendar: &Calendar, now: Timestamp, most: usize) -> Result<Span, AppError> {
    check_order(from, to, now)?;
    let edges = calendar.edges(from, to, size, most).ok_or_else(|| too_many(size, most))?;
    Ok(Span { range: Range::Between, size, edges })
}

/// The earlier time that a query compares with: as many buckets just before, a year ago, or from a chosen moment on.
pub fn compared(query: &UsageQuery, span: &Span, calendar: &Calendar, now: Timestamp) -> Result<Option<Span>, AppError> {
    const WORDS: &str = "Compare with before, year, or the day when the other time begins: 2025-11-18.";
    let wrong = |words: &str| AppError::invalid("compare", words);
    let begin = match query.compare.as_deref() {
        None => return Ok(None),
        Some(UsageQuery::BEFORE) => return Ok(before(span, calendar, now)),
        Some(UsageQuery::YEAR) => year_ago(span, calendar),
        Some(text) => Some(moment(text, calendar, false).map_err(|_| wrong(WORDS))?),
    };
    let begin = begin.ok_or_else(|| wrong(WORDS))?;
    if begin >= span.start() {
        return Err(wrong("The other time begins before the one that is shown. Take an earlier day."));
    }
    Ok(from_begin(begin, span, calendar, now))
}

/// Where the same time began a year ago; of weeks 52 of them, so that a Monday stays one.
fn year_ago(span: &Span, calendar: &Calendar) -> Option<Timestamp> {
    let back = if span.size == BucketSize::Week { 364.days() } else { 1.year() };
    calendar.instant(calendar.local(span.start()).checked_sub(back).ok()?)
}

/// As many buckets from a moment on.
fn from_begin(begin: Timestamp, span: &Span, calendar: &Calendar, now: Timestamp) -> Option<Span> {
    let mut edges = vec![calendar.floor(begin, span.size)?];
    for _ in 0..span.buckets() {
        edges.push(calendar.next(*edges.last()?, span.size)?);
    }
    cut(span, &mut edges, now);
    Some(Span { range: Range::Between, size: span.size, edges })
}

/// As many buckets just before. Of a bucket that is not over as much is compared as has passed of it, rounded up to a quarter of an hour, of
/// five minutes to a minute; a minute that is not over is compared with nothing.
pub fn before(span: &Span, calendar: &Calendar, now: Timestamp) -> Option<Span> {
    let mut edges = vec![span.start()];
    for _ in 0..span.buckets() {
        let earlier = edges.last()?.checked_sub(1.nanosecond()).ok()?;
        edges.push(calendar.floor(earlier, span.size)?);
    }
    edges.reverse();
    cut(span, &mut edges, now);
    Some(Span { range: Range::Between, size: span.size, edges })
}

/// Of a last bucket that is not over, `edges` of another time keep as much as has passed of it, in the pieces that counts are kept by. Of a minute
/// there are no pieces: a whole one beside one that goes on would look like fewer calls, so it is left out.
fn cut(span: &Span, edges: &mut Vec<Timestamp>, now: Timestamp) {
    let [.., open, end] = &span.edges[..] else { return };
    if !(*open..*end).contains(&now) {
        return;
    }
    let piece = match span.size {
        BucketSize::Minute if edges.len() > 2 => {
            edges.pop();
            return;
        }
        BucketSize::Minute | BucketSize::FiveMinutes => 60,
        _ => QUARTER,
    };
    if let [.., start, last] = &mut edges[..] {
        let gone = (now.as_second() - open.as_second()) / piece * piece + piece;
        *last = (*last).min(Timestamp::from_second(start.as_second() + gone).unwrap_or(*last));
    }
}

/// Sizes that give at least two bars and no crowd, for the switch beside the chart.
pub fn sizes(seconds: i64) -> Vec<BucketSize> {
    let fits = |size: &BucketSize| {
        let bars = seconds / width(*size);
        let most = i64::try_from(most_bars(*size)).unwrap_or(i64::MAX).min(200);
        (2..=most).contains(&bars)
    };
    [BucketSize::Minute, BucketSize::FiveMinutes, BucketSize::Hour, BucketSize::Day, BucketSize::Week, BucketSize::Month].into_iter().filter(fits).collect()
}

/// The next size up: for sparklines, which have less room.
pub const fn wider(size: BucketSize) -> BucketSize {
    match size {
        BucketSize::Minute | BucketSize::FiveMinutes => BucketSize::Hour,
        BucketSize::Hour => BucketSize::Day,
        BucketSize::Day => BucketSize::Week,
        BucketSize::Week | BucketSize::Month => BucketSize::Month,
    }
}

/// About how many seconds a bucket has.
pub const fn width(size: BucketSize) -> i64 {
    match size {
        BucketSize::Minute => 60,
        BucketSize::FiveMinutes => 300,
        BucketSize::Hour => 3_600,
        BucketSize::Day => 86_400,
        BucketSize::Week => 604_800,
        BucketSize::Month => 2_629_800,
    }
}

/// Since when a range of Requests is, by its word: as Usage and Errors take the same.
pub fn since(range: &str, calendar: &Calendar, now: Timestamp) -> Option<Timestamp> {
    match range {
        "1h" => now.checked_sub(1.hours()).ok(),
        "24h" | "7d" | "30d" => begin(Range::parse(range)?, calendar, now),
        _ => None,
    }
}

fn begin(range: Range, calendar: &Calendar, now: Timestamp) -> Option<Timestamp> {
    let today = calendar.local(now).date();
    let days_back = |days: i64| calendar.instant(today.checked_sub(days.days()).ok()?.to_datetime(civil::Time::midnight()));
    match range {
        Range::Day => calendar.floor(now, BucketSize::Hour)?.checked_sub(23.hours()).ok(),
        Range::Week => days_back(6),
        Range::Days30 | Range::Between => days_back(29),
        Range::Month => calendar.floor(now, BucketSize::Month),
        Range::Year => days_back(364),
    }
}

fn usual(range: Range, seconds: i64) -> BucketSize {
    match range {
        Range::Day => BucketSize::Hour,
        Range::Week | Range::Days30 | Range::Month => BucketSize::Day,
        Range::Year => BucketSize::Week,
        Range::Between if seconds <= 3_600 => BucketSize::Minute,
        Range::Between if seconds <= 6 * 3_600 => BucketSize::FiveMinutes,
        Range::Between if seconds <= 50 * 3_600 => BucketSize::Hour,
        Range::Between if seconds <= 93 * 86_400 => BucketSize::Day,
        Range::Between => BucketSize::Week,
    }
}

/// A day (`2026-11-18`; as an end it is meant whole), a local time (`2026-11-18T14:00`) or an RFC 3339 instant.
pub fn moment(text: &str, calendar: &Calendar, is_end: bool) -> Result<Timestamp, &'static str> {
    const WORDS: &str = "A time looks like 2026-11-18, or 2026-11-18T14:00:00Z.";
    let read = || -> Option<Timestamp> {
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Some(instant);
        }
        if text.len() == 10 {
            let day: civil::Date = text.parse().ok()?;
            let day = if is_end { day.tomorrow().ok()? } else { day };
            return calendar.instant(day.to_datetime(civil::Time::midnight()));
        }
        calendar.instant(text.parse().ok()?)
    };
    let instant = read().ok_or(WORDS)?;
    // Far-away years can't be cut into buckets, and nothing was counted then.
    let year = calendar.local(instant).year();
    if (2000..2200).contains(&year) { Ok(instant) } else { Err("Nothing is counted that far away: take a year from 2000 to 2199.") }
}

fn check_order(from: Timestamp, to: Timestamp, now: Timestamp) -> Result<(), AppError> {
    if from >= to {
        let words = if from > now { "This lies in the future." } else { "The end lies before the beginning." };
        return Err(AppError::invalid(if from > now { "from" } else { "to" }, words));
    }
    if to.as_second() - from.as_second() > MOST_DAYS * 86_400 { Err(too_long()) } else { Ok(()) }
}

fn too_long() -> AppError {
    AppError::invalid("from", "This is longer than two years, the most at once. Take a later beginning.")
}

fn too_many(size: BucketSize, most: usize) -> AppError {
    AppError::invalid("bucket", format!("These are more than {} buckets of {}. Take a larger bucket or a shorter time.", thousands(most as u64), size.length()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Friday, 13:00 in Stockholm.
    fn now() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().expect("an instant")
    }
    fn span(query: UsageQuery) -> Result<Span, AppError> {
        read(&query, &Calendar::of("Europe/Stockholm"), now(), For::Page)
    }
    fn range(word: &str) -> Span {
        span(UsageQuery { range: Some(word.to_owned()), ..UsageQuery::default() }).expect("a range")
    }
    fn between(from: &str, to: &str) -> Result<Span, AppError> {
        span(UsageQuery { from: Some(from.to_owned()), to: Some(to.to_owned()), ..UsageQuery::default() })
    }

    #[test]
    fn every_range_ends_with_the_bucket_of_now() {
        for (word, buckets, size) in [
            ("24h", 24, BucketSize::Hour),
            ("7d", 7, BucketSize::Day),
            ("30d", 30, BucketSize::Day),
            ("month", 20, BucketSize::Day),
            ("year", 53, BucketSize::Week),
        ] {
            let span = range(word);
            assert_eq!((span.buckets(), span.size), (buckets, size), "{word}");
            assert!(span.edges[buckets - 1] <= now() && now() < span.end(), "{word}");
        }
        assert_eq!(range("30d").start().to_string(), "2026-10-21T22:00:00Z");
    }

    #[test]
    fn a_day_as_an_end_is_meant_whole() {
        let span = between("2026-11-01", "2026-11-07").expect("a week");
        assert_eq!((span.buckets(), span.end().to_string().as_str()), (7, "2026-11-07T23:00:00Z"));
        let span = between("2026-11-18T14:00", "2026-11-18T15:30:00Z").expect("some hours");
        assert_eq!((span.buckets(), span.size), (30, BucketSize::FiveMinutes));
    }

    #[test]
    fn a_few_hours_are_five_minutes_and_one_is_minutes_in_whole_quarters() {
        let of = |from: &str, to: &str| between(from, to).expect("a short time");
        let hour = of("2026-11-18T14:07", "2026-11-18T15:07");
        assert_eq!((hour.size, hour.buckets(), hour.start().to_string().as_str()), (BucketSize::Minute, 75, "2026-11-18T13:00:00Z"));
        assert_eq!((hour.quarters().len(), hour.end().to_string().as_str()), (6, "2026-11-18T14:15:00Z"));
        let six = of("2026-11-18T14:07", "2026-11-18T20:07");
        assert_eq!((six.size, six.buckets()), (BucketSize::FiveMinutes, 75));
        assert_eq!(of("2026-11-18T14:07", "2026-11-18T20:08").size, BucketSize::Hour);
        // At 13:00:00 the last hour ends with this minute, not with the quarter.
        let open = span(UsageQuery { from: Some("2026-11-20T12:10".into()), ..UsageQuery::default() }).expect("until now");
        assert_eq!((open.buckets(), open.end().to_string().as_str()), (61, "2026-11-20T12:01:00Z"));
        assert_eq!(open.quarters().last().map(ToString::to_string).as_deref(), Some("2026-11-20T12:01:00Z"));
        let by = |word: &str, to: &str| {
            let (from, to) = (Some("2026-11-18T14:00".to_owned()), Some(to.to_owned()));
            span(UsageQuery { bucket: Some(word.to_owned()), from, to, ..UsageQuery::default() }).map(|span| span.buckets())
        };
        assert_eq!((by("5m", "2026-11-18T15:00").ok(), by("hour", "2026-11-18T15:00").ok()), (Some(12), Some(1)));
        for (word, to, length) in [("minute", "2026-11-18T16:00", "90 buckets of one minute"), ("5m", "2026-11-19T14:00", "78 buckets of 5 minutes")] {
            let error = by(word, to).expect_err("too many bars");
            assert!(error.field("bucket").is_some_and(|words| words.contains(length)), "{error}");
        }
        assert_eq!(sizes(3_600), [BucketSize::Minute, BucketSize::FiveMinutes]);
        assert_eq!(sizes(6 * 3_600), [BucketSize::FiveMinutes, BucketSize::Hour]);
    }

    #[test]
    fn the_time_before_is_as_long_and_its_last_day_as_far() {
        let days = range("7d");
        let earlier = before(&days, &Calendar::of("Europe/Stockholm"), now()).expect("a week before");
        assert_eq!((earlier.buckets(), earlier.start().to_string().as_str()), (7, "2026-11-06T23:00:00Z"));
        // 13:00 in Stockholm: of last Friday only the calls until 13:15.
        assert_eq!(earlier.end().to_string(), "2026-11-13T12:15:00Z");
        let over = between("2026-11-01", "2026-11-07").expect("a week that is over");
        let earlier = before(&over, &Calendar::of("Europe/Stockholm"), now()).expect("a week before");
        assert_eq!((earlier.start().to_string().as_str(), earlier.end()), ("2026-10-24T22:00:00Z", over.start()));
    }

    #[test]
    fn what_is_not_over_is_compared_with_as_much_of_the_time_before() {
        let utc = Calendar::utc();
        let beside = |from: &str, now: &str| {
            let now: Timestamp = now.parse().expect("an instant");
            let query = UsageQuery { from: Some(from.to_owned()), compare: Some(UsageQuery::BEFORE.to_owned()), ..UsageQuery::default() };
            let shown = read(&query, &utc, now, For::Page).expect("a time");
            let earlier = compared(&query, &shown, &utc, now).expect("an earlier time").expect("one");
            (shown.size, shown.buckets(), earlier.buckets(), earlier.start().to_string(), earlier.end().to_string())
        };
        let of = |start: &str, end: &str, size: BucketSize, shown: usize, earlier: usize| (size, shown, earlier, start.to_owned(), end.to_owned());
        // The bar of 12:07 stands beside nothing, those before it beside whole minutes.
        let minutes = of("2026-11-20T10:22:00Z", "2026-11-20T11:14:00Z", BucketSize::Minute, 53, 52);
        assert_eq!(beside("2026-11-20T11:15:00Z", "2026-11-20T12:07:20Z"), minutes);
        // Of the five minutes from 12:05 on three have begun.
        let fives = of("2026-11-20T02:50:00Z", "2026-11-20T07:28:00Z", BucketSize::FiveMinutes, 56, 56);
        assert_eq!(beside("2026-11-20T07:35:00Z", "2026-11-20T12:07:20Z"), fives);
        // A minute alone has nothing else to stand beside.
        assert_eq!(beside("2026-11-20T12:00:00Z", "2026-11-20T12:00:20Z"), of("2026-11-20T11:59:00Z", "2026-11-20T12:00:00Z", BucketSize::Minute, 1, 1));
    }

    #[test]
    fn a_year_ago_keeps_days_of_the_year_and_weeks_their_monday() {
        let stockholm = Calendar::of("Europe/Stockholm");
        let earlier = |word: &str, with: &str| {
            let query = UsageQuery { range: Some(word.to_owned()), ..UsageQuery::default() }.compared(Some(with));
            let shown = span(query.clone()).expect("a range");
            compared(&query, &shown, &stockholm, now()).expect("an earlier time").map(|earlier| (shown, earlier))
        };
        let (shown, days) = earlier("7d", "year").expect("a year ago");
        assert_eq!((days.buckets(), days.start().to_string().as_str()), (shown.buckets(), "2025-11-13T23:00:00Z"));
        assert_eq!(days.end().to_string(), "2025-11-20T12:15:00Z", "as much as has passed of today");
        let (shown, weeks) = earlier("year", "year").expect("a year ago");
        assert_eq!((weeks.buckets(), shown.start().to_string().as_str()), (53, "2025-11-16T23:00:00Z"));
        assert_eq!(weeks.start().to_string(), "2024-11-17T23:00:00Z", "a Monday");
        let (_, own) = earlier("7d", "2026-08-08").expect("a day of one's own");
        assert_eq!(own.start().to_string(), "2026-08-07T22:00:00Z");
        let none = UsageQuery::default();
        assert!(compared(&none, &span(none.clone()).expect("a range"), &stockholm, now()).expect("nothing").is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |query| span(query).expect_err("wrong");
        assert!(refused(UsageQuery { range: Some("8d".into()), bucket: Some("century".into()), ..UsageQuery::default() }).field("bucket").is_some());
        assert!(refused(UsageQuery { bucket: Some("minute".into()), ..UsageQuery::default() }).field("bucket").is_some());
        assert!(refused(UsageQuery { to: Some("2026-11-01".into()), ..UsageQuery::default() }).field("from").is_some());
        assert!(refused(UsageQuery { range: Some("year".into()), bucket: Some("hour".into()), ..UsageQuery::default() }).field("bucket").is_some());
        assert!(between("2026-11-07", "2026-11-01").expect_err("backwards").field("to").is_some());
        assert!(between("2020-11-07", "2026-11-01").expect_err("long").field("from").is_some());
        for nonsense in ["", "x", "2026-13-01", "9999-01-01", "-009999-01-01", "2026-11-01'; drop", "0000-00-00T"] {
            assert!(between(nonsense, "2026-11-01").expect_err(nonsense).field("from").is_some(), "{nonsense}");
        }
    }
}
