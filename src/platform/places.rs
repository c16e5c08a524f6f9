//! City and country of an address, from a database in MaxMind's format that the operator provides. It is read into memory at the start;
//! nobody else is asked.

use super::{Ctx, networks::is_private};
use maxminddb::{LookupResult, MaxMindDbError, PathElement, Reader, WithinOptions};
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

pub struct Places(Reader<Vec<u8>>);

/// Why a database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PlacesError {
    #[error("auth.places_file (TOLLGATE_PLACES_FILE): {} can't be read as a database of addresses: {error}", .path.display())]
    Unreadable { path: PathBuf, error: MaxMindDbError },
    #[error("auth.places_file (TOLLGATE_PLACES_FILE): {} names no city and no country in the fields of MaxMind or of DB-IP; use a City or Country database", .path.display())]
    Placeless { path: PathBuf },
}

/// So many networks are looked at for one that names a place.
const SAMPLE: usize = 10_000;

impl Places {
    pub fn open(path: &Path) -> Result<Self, PlacesError> {
        let unreadable = |error| PlacesError::Unreadable { path: path.to_owned(), error };
        let places = Self(Reader::open_readfile(path).map_err(unreadable)?);
        // A database of networks, or one with other fields, would be read without an error and say nothing.
        if places.names_any().map_err(unreadable)? { Ok(places) } else { Err(PlacesError::Placeless { path: path.to_owned() }) }
    }

    fn names_any(&self) -> Result<bool, MaxMindDbError> {
        for found in self.0.networks(WithinOptions::default())?.take(SAMPLE) {
            if named(&found?).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `Stockholm, Sweden`, or what is known of it. A private address is nowhere.
    pub fn of(&self, address: IpAddr) -> Option<String> {
        let address = address.to_canonical();
        if is_private(address) {
            return None;
        }
        named(&self.0.lookup(address).ok()?)
    }
}

/// In MaxMind's fields, `city.names.en`, or in the flat ones of smaller files: `city`, `country_name` or `country`.
fn named(found: &LookupResult<'_, Vec<u8>>) -> Option<String> {
    let at = |path: &[&'static str]| {
        let path: Vec<_> = path.iter().map(|key| PathElement::Key(key)).collect();
        found.decode_path::<String>(&path).ok().flatten().filter(|name| !name.is_empty())
    };
    let city = at(&["city", "names", "en"]).or_else(|| at(&["city"]));
    let country = at(&["country", "names", "en"]).or_else(|| at(&["country_name"])).or_else(|| at(&["country"])).or_else(|| at(&["country_code"]));
    let mut names: Vec<String> = [city, country].into_iter().flatten().collect();
    names.dedup(); // Singapore
    (!names.is_empty()).then(|| names.join(", "))
}

/// Adds the database to a process that has one.
pub fn opened(ctx: Ctx) -> Result<Ctx, PlacesError> {
    match ctx.config.auth.places_file.clone() {
        Some(path) => Ok(ctx.with(Arc::new(Places::open(&path)?))),
        None => Ok(ctx),
    }
}

/// The place of an address, if there is a database that knows it.
pub fn place_of(ctx: &Ctx, address: IpAddr) -> Option<String> {
    ctx.part::<Places>()?.of(address)
}
