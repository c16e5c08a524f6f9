//! What 1,000 cost units are worth: for an estimate, never for a bill.

use crate::ui::number::thousands;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A price for 1,000 cost units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Millionths of the currency's unit, so that sums are exact.
    pub micros: u64,
    /// Three capitals, as ISO 4217 has them.
    pub currency: String,
}

const MICROS: u64 = 1_000_000;

impl Price {
    const RULE: &'static str = "A price is a number with at most 6 decimals and below a billion, for example 0.50.";

    /// Reads "0.50" and "EUR", also "eur".
    pub fn read(per_1000: &str, currency: &str) -> Result<Self, (&'static str, &'static str)> {
        let micros = decimal(per_1000.trim()).ok_or(("per_1000", Self::RULE))?;
        let currency = currency.trim().to_ascii_uppercase();
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(("currency", "A currency has three letters, for example EUR."));
        }
        Ok(Self { micros, currency })
    }

    /// The number alone: "0.50".
    pub fn per_1000(&self) -> String {
        let decimals = decimals(u128::from(self.micros), 6);
        format!("{}.{decimals}", self.micros / MICROS)
    }

    /// What so many units are worth, the number alone to six decimals, so that lines can be added up: "0.000500".
    pub fn exact(&self, units: u64) -> String {
        let micros = u128::from(units) * u128::from(self.micros) / 1_000;
        format!("{}.{:06}", micros / u128::from(MICROS), micros % u128::from(MICROS))
    }

    /// What so many units are worth: "12.40 EUR", rounded to hundredths.
    pub fn of(&self, units: u64) -> String {
        let micros = u128::from(units) * u128::from(self.micros) / 1_000;
        let rounded = (micros + 5_000) / 10_000 * 10_000;
        let whole = u64::try_from(rounded / u128::from(MICROS)).unwrap_or(u64::MAX);
        format!("{}.{} {}", thousands(whole), decimals(rounded, 2), self.currency)
    }
}

/// "0.50 EUR for 1,000 units".
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} for 1,000 units", self.per_1000(), self.currency)
    }
}

/// "1.25" as 1,250,000; at most nine digits and six decimals.
fn decimal(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_fine = |digits: &str, most: usize| digits.len() <= most && digits.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_fine(whole, 9) || !is_fine(part, 6) || text.ends_with('.') {
        return None;
    }
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    Some(whole.parse::<u64>().ok()? * MICROS + part)
}

/// What stands behind the point: at least two digits, at most `most`.
fn decimals(micros: u128, most: usize) -> String {
    let all = format!("{:06}", micros % u128::from(MICROS));
    let kept = all[..most].trim_end_matches('0').len().max(2);
    all[..kept].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_reads_and_multiplies_exactly() {
        let price = Price::read("0.5", "EUR").expect("a price");
        assert_eq!((price.micros, price.to_string().as_str()), (500_000, "0.50 EUR for 1,000 units"));
        assert_eq!(price.of(24_000), "12.00 EUR");
        assert_eq!(price.of(1), "0.00 EUR");
        assert_eq!((price.exact(1).as_str(), price.exact(2_469_135).as_str()), ("0.000500", "1234.567500"));
        assert_eq!(price.of(2_469_135), "1,234.57 EUR");
        assert_eq!(Price::read("0.000125", "USD").map(|p| p.per_1000()), Ok("0.000125".to_owned()));
        assert_eq!(Price::read("12", "SEK").map(|p| p.of(2_500)), Ok("30.00 SEK".to_owned()));
        for wrong in ["", ".", "1.", ".5", "-1", "1,5", "0.0000001", "1234567890", "1e3"] {
            assert!(Price::read(wrong, "EUR").is_err_and(|(field, _)| field == "per_1000"), "{wrong}");
        }
        assert_eq!(Price::read("1", "eur").map(|p| p.currency), Ok("EUR".to_owned()));
        for wrong in ["", "EU", "EURO", "€", "E1R"] {
            assert!(Price::read("1", wrong).is_err_and(|(field, _)| field == "currency"), "{wrong}");
        }
    }
}
