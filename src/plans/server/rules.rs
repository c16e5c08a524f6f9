//! What the texts of a plan may be.

use crate::{
    error::Fields,
    plans::model::{NewPrice, Price},
};

/// What a plan is for: at most 400 characters.
pub fn description(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err("A description has no control characters.");
    }
    if text.chars().count() > 400 { Err("A description has at most 400 characters.") } else { Ok(text.to_owned()) }
}

/// At most 20 lines of at most 120 characters; empty ones are left out. What services read, `name` or `name=value`, is whole and there once.
pub fn entitlements(lines: &[String]) -> Result<Vec<String>, &'static str> {
    let lines: Vec<String> = lines.iter().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect();
    if lines.len() > 20 {
        return Err("A plan has at most 20 entitlements.");
    }
    if lines.iter().any(|l| l.chars().count() > 120 || l.chars().any(char::is_control)) {
        return Err("An entitlement has at most 120 characters on one line.");
    }
    // With a blank in it a line is for people to read.
    let mut names: Vec<&str> = Vec::new();
    for line in lines.iter().filter(|line| !line.contains(char::is_whitespace)) {
        let name = match line.split_once('=') {
            Some(("", _) | (_, "")) => return Err("Write a name and its value, such as seats=5, or the name alone."),
            Some((name, _)) => name,
            None => line.as_str(),
        };
        if names.contains(&name) {
            return Err("Each name stands here once: services can't tell which of two holds.");
        }
        names.push(name);
    }
    Ok(lines)
}

/// Nothing typed in both fields: no price.
pub fn price(fields: &mut Fields, price: Option<&NewPrice>) -> Option<Price> {
    let price = price.filter(|p| !p.per_1000.trim().is_empty() || !p.currency.trim().is_empty())?;
    match Price::read(&price.per_1000, &price.currency) {
        Ok(price) => Some(price),
        Err((field, words)) => {
            fields.add(&format!("price.{field}"), words);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entitlements_are_whole_and_there_once() {
        let read = |lines: &[&str]| entitlements(&lines.iter().map(ToString::to_string).collect::<Vec<_>>());
        let fine = ["seats=5", "exports", "note=a,b", "a=b=c", "Answers within a day", "More seats = more room"];
        assert_eq!(read(&fine), Ok(fine.map(str::to_owned).to_vec()));
        assert_eq!(read(&[" ", "exports "]), Ok(vec!["exports".to_owned()]));
        for wrong in [&["x="][..], &["=5"], &["="], &["seats=5", "seats=6"], &["exports", "exports"], &["exports", "exports=all"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
