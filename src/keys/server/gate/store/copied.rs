//! Rows of a binary COPY (the format stands in the documentation of Postgres' COPY, "Binary Format"): a header, then rows one after the
//! other, each the number of its fields, then each field as its length and its bytes. No row is cut into values that nobody asks for: a
//! million of them take a second, where as many rows of a query take three.

use uuid::Uuid;

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";
/// The signature, flags, and the length of what later versions may add.
const HEADER: usize = 19;
/// Microseconds from 1970 to 2000, where Postgres counts from.
const Y2K: i64 = 946_684_800_000_000;

/// What was read of a COPY so far.
#[derive(Default)]
pub struct Copied {
    is_begun: bool,
    is_over: bool,
    /// The beginning of a row whose end has not come. Postgres sends rows whole, but need not.
    part: Vec<u8>,
}

impl Copied {
    /// Reads what came, and takes each row of it; `take` answers none for a row that it can't read.
    pub fn read(&mut self, came: &[u8], mut take: impl FnMut(&mut Row<'_>) -> Option<()>) -> sqlx::Result<()> {
        let mut joined = std::mem::take(&mut self.part);
        let mut bytes: &[u8] = if joined.is_empty() {
            came
        } else {
            joined.extend_from_slice(came);
            &joined
        };
        if !self.is_begun {
            let Some((header, rest)) = bytes.split_at_checked(HEADER) else {
                self.part = bytes.to_vec();
                return Ok(());
            };
            if !header.starts_with(SIGNATURE) || header[15..].iter().any(|byte| *byte != 0) {
                return Err(broken("this is no binary copy"));
            }
            (self.is_begun, bytes) = (true, rest);
        }
        while !self.is_over {
            match next(bytes) {
                Next::Row(fields, rest) => {
                    take(&mut Row(fields)).ok_or_else(|| broken("a row is not what it should be"))?;
                    bytes = rest;
                }
                Next::End => self.is_over = true,
                Next::Part => {
                    self.part = bytes.to_vec();
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Fails if the end did not come.
    pub fn end(self) -> sqlx::Result<()> {
        if self.is_over { Ok(()) } else { Err(broken("a copy has no end")) }
    }
}

fn broken(what: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(what.into())
}

enum Next<'a> {
    /// The fields of a row, and what follows.
    Row(&'a [u8], &'a [u8]),
    End,
    Part,
}

fn next(bytes: &[u8]) -> Next<'_> {
    let Some((count, fields)) = bytes.split_first_chunk() else { return Next::Part };
    let Ok(count) = u16::try_from(i16::from_be_bytes(*count)) else { return Next::End };
    let mut row = Row(fields);
    for _ in 0..count {
        if row.field().is_none() {
            return Next::Part;
        }
    }
    let (fields, rest) = fields.split_at(fields.len() - row.0.len());
    Next::Row(fields, rest)
}

/// The fields of a row that were not read yet. Whatever is read answers none where it is not there.
pub struct Row<'a>(&'a [u8]);

impl<'a> Row<'a> {
    /// The bytes of the next field; none within if it is null.
    pub fn field(&mut self) -> Option<Option<&'a [u8]>> {
        let (length, rest) = self.0.split_first_chunk()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.0 = rest;
            return Some(None);
        };
        let (field, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(field))
    }

    /// So many fields as they came, with their lengths: to be known again, or to be read as a row.
    pub fn fields(&mut self, count: usize) -> Option<&'a [u8]> {
        let before = self.0;
        for _ in 0..count {
            self.field()?;
        }
        before.get(..before.len() - self.0.len())
    }

    /// What `fields` told.
    pub const fn of(fields: &'a [u8]) -> Self {
        Self(fields)
    }

    /// A field that may be null.
    pub fn null_or<T>(&mut self, read: impl FnOnce(&'a [u8]) -> Option<T>) -> Option<Option<T>> {
        match self.field()? {
            None => Some(None),
            Some(bytes) => read(bytes).map(Some),
        }
    }

    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        self.field()?
    }

    pub fn text(&mut self) -> Option<&'a str> {
        text(self.bytes()?)
    }

    pub fn uuid(&mut self) -> Option<Uuid> {
        uuid(self.bytes()?)
    }

    pub fn is_true(&mut self) -> Option<bool> {
        self.bytes().map(|bytes| bytes == [1])
    }
}

pub fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

pub fn uuid(bytes: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(bytes).ok()
}

/// A bigint.
pub fn long(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}

/// An integer.
pub fn int(bytes: &[u8]) -> Option<i32> {
    bytes.try_into().ok().map(i32::from_be_bytes)
}

/// A timestamptz, as microseconds since 1970.
pub fn micros(bytes: &[u8]) -> Option<i64> {
    long(bytes).map(|since| since.saturating_add(Y2K))
}

/// A text[]: how many dimensions, whether there are nulls, of which type; of the dimension its length and first number; then the elements.
pub fn texts(bytes: &[u8]) -> Option<Vec<&str>> {
    let (dimensions, rest) = bytes.split_at_checked(4)?;
    let rest = rest.get(8..)?;
    if int(dimensions)? == 0 {
        return Some(Vec::new());
    }
    let (length, rest) = rest.split_at_checked(4)?;
    let mut elements = Row(rest.get(4..)?);
    (0..int(length)?).map(|_| elements.text()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(bytes: &[u8]) -> Vec<u8> {
        [&i32::try_from(bytes.len()).expect("short").to_be_bytes()[..], bytes].concat()
    }

    fn copy(rows: &[Vec<Vec<u8>>]) -> Vec<u8> {
        let mut copy = [&SIGNATURE[..], &[0; 8]].concat();
        for row in rows {
            copy.extend(i16::try_from(row.len()).expect("few").to_be_bytes());
            row.iter().for_each(|field| copy.extend(field));
        }
        copy.extend((-1_i16).to_be_bytes());
        copy
    }

    #[test]
    fn rows_are_the_same_however_they_are_cut() {
        let null = (-1_i32).to_be_bytes().to_vec();
        let rows = [vec![field(b"one"), null.clone(), field(&7_i64.to_be_bytes())], vec![field(b""), field(b"x"), null]];
        let whole = copy(&rows);
        for size in 1..=whole.len() {
            let (mut copied, mut seen) = (Copied::default(), Vec::new());
            for came in whole.chunks(size) {
                copied
                    .read(came, |row| {
                        seen.push((row.text()?.to_owned(), row.null_or(text)?.map(str::to_owned), row.null_or(long)?));
                        Some(())
                    })
                    .expect("rows");
            }
            copied.end().expect("an end");
            assert_eq!(seen, [("one".to_owned(), None, Some(7)), (String::new(), Some("x".to_owned()), None)], "{size}");
        }
    }

    #[test]
    fn what_is_broken_is_said() {
        let one = copy(&[vec![field(b"one")]]);
        let read = |bytes: &[u8], take: fn(&mut Row<'_>) -> Option<()>| {
            let mut copied = Copied::default();
            copied.read(bytes, take).and_then(|()| copied.end())
        };
        assert!(read(&one, |row| row.text().map(|_| ())).is_ok());
        assert!(read(&one[..one.len() - 1], |_| Some(())).is_err(), "no end");
        assert!(read(&one, |row| row.uuid().map(|_| ())).is_err(), "another type");
        assert!(read(&one, |row| row.fields(2).map(|_| ())).is_err(), "too few fields");
        assert!(read(b"not a copy of anything", |_| Some(())).is_err());
    }

    #[test]
    fn arrays_and_times_are_read() {
        let empty = [0_i32, 0, 25].map(i32::to_be_bytes).concat();
        assert_eq!(texts(&empty), Some(Vec::new()));
        let two = [[1_i32, 0, 25, 2, 1].map(i32::to_be_bytes).concat(), field(b"orders:read"), field(b"")].concat();
        assert_eq!(texts(&two), Some(vec!["orders:read", ""]));
        assert_eq!(texts(&two[..two.len() - 1]), None);
        assert_eq!(micros(&0_i64.to_be_bytes()), Some(Y2K));
    }
}
