//! City and country of an address, from a database in MaxMind's format that the operator provides. It is read into memory at the start;
//! nobody else is asked.

use super::{Ctx, networks::is_private};
use maxminddb::{MaxMindDbError, PathElement, Reader};
use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

pub struct Places(Reader<Vec<u8>>);

/// Why a database can't be used.
#[derive(Debug, thiserror::Error)]
#[error("auth.places_file (TOLLGATE_PLACES_FILE): {} can't be read as a database of addresses: {error}", .path.display())]
pub struct PlacesError {
    path: PathBuf,
    error: MaxMindDbError,
}

impl Places {
    pub fn open(path: &Path) -> Result<Self, PlacesError> {
        Reader::open_readfile(path).map(Self).map_err(|error| PlacesError { path: path.to_owned(), error })
    }

    /// `Stockholm, Sweden`, or what is known of it. A private address is nowhere.
    pub fn of(&self, address: IpAddr) -> Option<String> {
        let address = address.to_canonical();
        if is_private(address) {
            return None;
        }
        let found = self.0.lookup(address).ok()?;
        let name = |of: &'static str| {
            let path = [PathElement::Key(of), PathElement::Key("names"), PathElement::Key("en")];
            found.decode_path::<String>(&path).ok().flatten().filter(|name| !name.is_empty())
        };
        let mut names: Vec<String> = [name("city"), name("country")].into_iter().flatten().collect();
        names.dedup(); // Singapore
        (!names.is_empty()).then(|| names.join(", "))
    }
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
