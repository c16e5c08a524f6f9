//! Server functions of accounts: what forms post to and pages load.

mod acting;
mod email_change;
mod factors;
mod joining;
mod leaving;
mod openid;
mod passkeys;
mod passwords;
mod policies;
mod profile;
mod programs;
mod sessions;
mod signing_in;

pub use acting::*;
pub use email_change::*;
pub use factors::*;
pub use joining::*;
pub use leaving::*;
pub use openid::*;
pub use passkeys::*;
pub use passwords::*;
pub use policies::*;
pub use profile::*;
pub use programs::*;
pub use sessions::*;
pub use signing_in::*;
