//! Recovery codes: ten of 80 bits, shown once, each good once, for who lost the app.
//!
//! They are kept as HMAC-SHA-256 under the master key, where R33 (NIST SP 800-63B-4, look-up secrets under 112 bits) names a salted
//! Argon2id: whoever reads the database alone can't test a single guess, for the key is not in it; with the key, 80 bits are left to
//! try. And a code is found and used up by one statement, so that of twenty tries at once one works, where ten salted hashes would
//! cost ten runs of Argon2 for every wrong try.

use super::{SendFactorChanged, Told, require_recent_proof};
use crate::{
    accounts::{
        model::Caller,
        server::{
            Visitor,
            sessions::must_still_be_in,
            sign_up::about,
            store::{departures::lock_account, factors as all, factors::recovery as store},
        },
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, jobs},
    values::{AccountId, permission_names as may},
};
use data_encoding::BASE32_NOPAD;
use sqlx::PgConnection;

const COUNT: usize = 10;
const BYTES: usize = 10;

/// Codes in clear, on their way to the one page that shows them.
pub type Codes = Vec<String>;

/// New codes for the caller; the old ones are dead.
pub async fn make_recovery_codes(ctx: &Ctx, caller: &Caller, from: &Visitor) -> Result<Codes, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    require_recent_proof(ctx, caller).await?;
    let mut tx = ctx.db.begin().await?;
    lock_account(&mut tx, caller.account).await?;
    must_still_be_in(&mut tx, caller).await?;
    if !all::has_second(&mut *tx, caller.account).await? {
        return Err(AppError::conflict("Recovery codes replace an authenticator app or a passkey. Set one up first."));
    }
    let codes = make(ctx, &mut tx, caller.account).await?;
    let change = Change { kind: "factor.codes_made", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    let cause = record(ctx, &mut tx, change).await?;
    jobs::enqueue(ctx, &mut tx, &SendFactorChanged { account: caller.account, cause, told: Told::CodesMade }).await?;
    tx.commit().await?;
    Ok(codes)
}

pub(super) async fn make(ctx: &Ctx, conn: &mut PgConnection, account: AccountId) -> sqlx::Result<Codes> {
    let codes: Codes = (0..COUNT).map(|_| grouped(&BASE32_NOPAD.encode(&ctx.rng.bytes::<BYTES>()))).collect();
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| ctx.vault.keyed_hash(PURPOSE, said(account, &plain(code)).as_bytes()).to_vec()).collect();
    store::replace_codes(conn, account, &hashes, &ctx.vault.key_id().to_string(), ctx.clock.now()).await?;
    Ok(codes)
}

/// Uses up a code, in the transaction of what it proves.
pub(super) async fn accept(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, typed: &str) -> sqlx::Result<bool> {
    let hashes: Vec<Vec<u8>> = ctx.vault.keyed_hashes(PURPOSE, said(account, &plain(typed)).as_bytes()).iter().map(|hash| hash.to_vec()).collect();
    store::use_code(conn, account, &hashes, ctx.clock.now()).await
}

const PURPOSE: &str = "recovery code";

fn said(account: AccountId, code: &str) -> String {
    format!("{account}:{code}")
}

/// `ABCD-EFGH-IJKL-MNOP`.
fn grouped(code: &str) -> String {
    code.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// As it was made, however it is typed: in small letters, with blanks, with the digits that base32 does not have.
fn plain(typed: &str) -> String {
    let read = |c: char| match c.to_ascii_uppercase() {
        '0' => 'O',
        '1' => 'I',
        '8' => 'B',
        c => c,
    };
    typed.chars().filter(char::is_ascii_alphanumeric).take(64).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r33_a_code_has_sixteen_characters_and_is_read_however_it_is_typed() {
        assert_eq!(BASE32_NOPAD.encode(&[0; BYTES]).len(), 16);
        assert_eq!(grouped("ABCDEFGHIJKLMNOB"), "ABCD-EFGH-IJKL-MNOB");
        for typed in ["ABCD-EFGH-IJKL-MNOB", "abcdefghijklmnob", " abcd efgh 1jkl mn08 "] {
            assert_eq!(plain(typed), "ABCDEFGHIJKLMNOB", "{typed}");
        }
    }
}
