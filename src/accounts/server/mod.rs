//! The operations of accounts over a private store, one file per idea. Whoever may call is checked in each of them; what nobody
//! needs to be signed in for (sign-up, proofs, sign-in, reset) is slowed down by `attempts`.

mod administration;
mod arriving;
mod attempts;
mod bans;
mod caller;
mod common_passwords;
mod devices;
pub mod email_change;
mod entry;
pub mod export;
mod factors;
mod fresh_proof;
mod handles;
pub mod http;
mod invites;
pub mod jobs;
pub mod leaving;
mod letters;
pub mod links;
mod locks;
mod mail;
pub mod new_codes;
mod operators;
mod own_mail;
mod password_rules;
mod passwords;
mod profile;
mod public_profile;
mod resetting;
mod sessions;
mod sign_in;
mod sign_up;
mod store;
mod tokens;
mod verifying;
mod visitor;
mod warnings;

pub use administration::{
    AccountBan, AccountCounts, AccountFacts, Ended, count_accounts, disable_account, enable_account, end_session_of, end_sessions_of, find_account,
    find_account_by_email, list_accounts, send_reset_link, sessions_of_account,
};
pub use arriving::arrive;
pub use bans::{BanFacts, Target, Term, add_ban, ban_account, end_bans, lift_ban, list_bans, unban_account};
pub use caller::{OwesFactor, caller, caller_of_account, caller_who_may_owe, context, identify, maybe_caller, session};
pub use devices::not_me;
pub use entry::{Barred, Entrant, may_come_in};
pub use factors::{
    ACTS, Interrupted, Offered, PENDING_LASTS, RESUME, StepUpProof, accept_second_factor, ask_reset, confirm_totp, factors, factors_of, finish_sign_in,
    has_second_factor, keep_form, look_at_form, make_recovery_codes, owes_factor, pending_email, remove_totp, require_recent_proof, reset_factors_now,
    start_totp, step_up, step_up_view, stop_reset, take_form, totp_setup, waiting_reset,
};
pub use invites::create_invite;
pub use letters::KINDS as MAIL_KINDS;
pub use locks::{unlock, unlock_account};
pub use operators::{NewOperator, create_operator, ensure_first_operator};
pub use own_mail::{charge_own_mail, own_reader};
pub use password_rules::advice as password_advice;
pub use passwords::Passwords;
pub use profile::{ProfileChange, in_full, is_time_zone, profile, security, time_zones, update_profile, when};
pub use public_profile::public_profile;
pub use resetting::{change_password, forgot_password, reset_link, reset_password};
pub use sessions::{begin, end_session, end_sessions, list_sessions, sign_out};
pub use sign_in::{Proven, SignIn, sign_in};
pub use sign_up::{DEVELOPER, NewAccount, NewSignUp, OPERATOR, create_account, door, sign_up};
pub use verifying::{Proof, resend_verification, verify_email};
pub use visitor::{Visitor, device_in_words};
pub use warnings::EndBans;
