//! What the mails of accounts say, in every language: one struct a kind, its facts in the fields. Each says what happened, when, from
//! which device and address, and what to do if it wasn't you. When they are sent stands beside the acts that cause them.

mod acting;
mod addresses;
mod factors;
mod inviting;
mod leaving;
mod passwords;
mod programs;
mod proving;
mod seen;
mod sign_ins;
mod warnings;

pub use acting::ActedAs;
pub use addresses::{AddressWanted, ConfirmNewEmail, EmailChanged};
pub use factors::FactorChanged;
pub use inviting::Invited;
pub use leaving::{AccountLeft, AccountReturned, DeleteAccount, ExportReady};
pub use passwords::{PasswordChanged, SetPassword};
pub use programs::ProgramTold;
pub use proving::{AlreadyRegistered, ConfirmEmail};
pub use seen::Seen;
pub use sign_ins::SignInElsewhere;
pub use warnings::{Banned, Locked, NewDevice, PasswordStopped, Unbanned};

use super::{factors::Told, openid, programs as signed_in};
use crate::platform::mail::{Kind, Sample};
use time::Duration;

/// The kinds, in the order of an account's life.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "accounts.invited",
        about: "To an address that an operator invited.",
        sample: |s| Box::new(Invited { link: s.secret_link("/sign-up"), at: s.at, until: s.at + Duration::days(7) }),
    },
    Kind {
        name: "accounts.confirm_email",
        about: "To an address that somebody signed up with: the link and the code that prove it.",
        sample: |s| Box::new(ConfirmEmail { link: s.secret_link("/verify-email"), code: "482913".to_owned(), seen: seen(s) }),
    },
    Kind {
        name: "accounts.already_registered",
        about: "To the owner of an address that somebody signed up with again.",
        sample: |s| Box::new(AlreadyRegistered { sign_in: s.link("/sign-in"), forgot: s.link("/forgot-password"), seen: seen(s) }),
    },
    Kind {
        name: "accounts.set_password",
        about: "To whoever forgot the password: the link and the code to set a new one.",
        sample: |s| Box::new(SetPassword { link: s.secret_link("/reset-password"), code: Some("482913".to_owned()), seen: seen(s) }),
    },
    Kind {
        name: "accounts.password_changed",
        about: "After the password was changed.",
        sample: |s| Box::new(PasswordChanged { forgot: s.link("/forgot-password"), seen: seen(s) }),
    },
    Kind {
        name: "accounts.new_device",
        about: "After a sign-in in a browser that the account did not know.",
        sample: |s| Box::new(NewDevice { link: s.secret_link("/not-me"), seen: seen(s) }),
    },
    Kind {
        name: "accounts.locked",
        about: "After the ninth wrong password in a row.",
        sample: |s| Box::new(Locked { failures: 9, link: s.secret_link("/unlock"), seen: seen(s) }),
    },
    Kind {
        name: "accounts.password_stopped",
        about: "After the hundredth wrong try in a row.",
        sample: |s| Box::new(PasswordStopped { forgot: s.link("/forgot-password"), seen: seen(s) }),
    },
    Kind {
        name: "accounts.program_signed_in",
        about: "After a program signed in that was not signed in before.",
        sample: |s| Box::new(program(signed_in::Told::SignedIn, s)),
    },
    Kind {
        name: "accounts.program_signed_out",
        about: "After a program was signed out because an old token of it came back.",
        sample: |s| Box::new(program(signed_in::Told::Reused, s)),
    },
    Kind { name: "accounts.sign_in_linked", about: "After a sign-in elsewhere was linked.", sample: |s| Box::new(elsewhere(openid::Told::Linked, s)) },
    Kind { name: "accounts.sign_in_unlinked", about: "After a sign-in elsewhere was unlinked.", sample: |s| Box::new(elsewhere(openid::Told::Unlinked, s)) },
    Kind {
        name: "accounts.sign_in_offered",
        about: "To the owner of an address that somebody came with from elsewhere.",
        sample: |s| Box::new(elsewhere(openid::Told::Offered, s)),
    },
    Kind { name: "accounts.totp_added", about: "After an authenticator app was added.", sample: |s| Box::new(factor(Told::TotpAdded, s)) },
    Kind { name: "accounts.totp_replaced", about: "After the authenticator app was replaced.", sample: |s| Box::new(factor(Told::TotpReplaced, s)) },
    Kind { name: "accounts.totp_removed", about: "After the authenticator app was removed.", sample: |s| Box::new(factor(Told::TotpRemoved, s)) },
    Kind { name: "accounts.passkey_added", about: "After a passkey was added.", sample: |s| Box::new(factor(Told::PasskeyAdded, s)) },
    Kind { name: "accounts.passkey_removed", about: "After a passkey was removed.", sample: |s| Box::new(factor(Told::PasskeyRemoved, s)) },
    Kind {
        name: "accounts.passkey_copied",
        about: "After a passkey was refused whose counter went back.",
        sample: |s| Box::new(factor(Told::PasskeyCopied, s)),
    },
    Kind { name: "accounts.codes_made", about: "After new recovery codes were made.", sample: |s| Box::new(factor(Told::CodesMade, s)) },
    Kind { name: "accounts.code_used", about: "After a recovery code was used.", sample: |s| Box::new(factor(Told::CodeUsed, s)) },
    Kind {
        name: "accounts.reset_asked",
        about: "A day before an operator's removal of the second factors.",
        sample: |s| Box::new(factor(Told::ResetAsked, s)),
    },
    Kind { name: "accounts.reset_stopped", about: "After that removal was stopped.", sample: |s| Box::new(factor(Told::ResetStopped, s)) },
    Kind { name: "accounts.taken_back", about: "After what somebody else added to the account was removed.", sample: |s| Box::new(factor(Told::TakenBack, s)) },
    Kind { name: "accounts.reset_done", about: "After the second factors were removed by an operator.", sample: |s| Box::new(factor(Told::ResetDone, s)) },
    Kind {
        name: "accounts.address_wanted",
        about: "To the owner of an address that another account asked for.",
        sample: |s| Box::new(AddressWanted { seen: seen(s) }),
    },
    Kind {
        name: "accounts.confirm_new_email",
        about: "To a new address of an account: the link and the code that prove it.",
        sample: |s| Box::new(ConfirmNewEmail { link: s.secret_link("/confirm-email"), code: "482913".to_owned(), seen: seen(s) }),
    },
    Kind {
        name: "accounts.email_changed",
        about: "To the old address after a change, with the way back.",
        sample: |s| {
            let until = s.at + Duration::days(7);
            Box::new(EmailChanged { new: "mara.lin@example.com".to_owned(), until, link: s.secret_link("/undo-email"), seen: seen(s) })
        },
    },
    Kind {
        name: "accounts.export_ready",
        about: "When the export of an account can be fetched.",
        sample: |s| {
            Box::new(ExportReady { until: s.at + Duration::days(1), link: s.link("/settings/danger"), forgot: s.link("/forgot-password"), seen: seen(s) })
        },
    },
    Kind {
        name: "accounts.delete_account",
        about: "The last confirmation before an account is deleted.",
        sample: |s| Box::new(DeleteAccount { link: s.secret_link("/delete-account"), forgot: s.link("/forgot-password"), seen: seen(s) }),
    },
    Kind {
        name: "accounts.deactivated",
        about: "After an account was deactivated, with the way back.",
        sample: |s| Box::new(AccountLeft { erased: None, link: s.secret_link("/come-back"), seen: seen(s) }),
    },
    Kind {
        name: "accounts.will_be_erased",
        about: "After an account was deleted, with the way back.",
        sample: |s| Box::new(AccountLeft { erased: Some(s.at + Duration::days(30)), link: s.secret_link("/come-back"), seen: seen(s) }),
    },
    Kind {
        name: "accounts.returned",
        about: "After an account was brought back.",
        sample: |s| Box::new(AccountReturned { sign_in: s.link("/sign-in"), forgot: s.link("/forgot-password"), seen: seen(s) }),
    },
    Kind {
        name: "accounts.banned",
        about: "After an account was banned: why, until when, and whom to ask.",
        sample: |s| {
            let (reason, contact) = (s.typed("Spam"), "support@example.com".to_owned());
            Box::new(Banned { reason, since: s.at, until: Some(s.at + Duration::days(7)), contact })
        },
    },
    Kind {
        name: "accounts.unbanned",
        about: "After a ban was lifted or has ended.",
        sample: |s| Box::new(Unbanned { lifted: true, since: Some(s.at), sign_in: s.link("/sign-in") }),
    },
    Kind {
        name: "accounts.acted_as",
        about: "When an operator begins to act as the account.",
        sample: |s| {
            let (reason, contact) = (s.typed("Support: checkout export 4711"), "support@example.com".to_owned());
            Box::new(ActedAs { reason, began: s.at, minutes: 30, sessions: s.link("/settings/sessions"), contact })
        },
    },
];

fn seen(sample: &Sample) -> Option<Seen> {
    Some(Seen { at: sample.at, agent: sample.agent(), address: "203.0.113.9".to_owned(), place: None })
}

fn factor(told: Told, sample: &Sample) -> FactorChanged {
    let link = if told == Told::ResetAsked { sample.secret_link("/keep-factors") } else { sample.link("/forgot-password") };
    FactorChanged { told, link, seen: seen(sample) }
}

fn program(told: signed_in::Told, sample: &Sample) -> ProgramTold {
    ProgramTold { told, program: Some(sample.typed("tollgate (laptop)")), link: sample.secret_link("/not-me"), seen: seen(sample) }
}

fn elsewhere(told: openid::Told, sample: &Sample) -> SignInElsewhere {
    let page = if told == openid::Told::Offered { "/settings/security/link" } else { "/forgot-password" };
    SignInElsewhere { told, provider: sample.typed("Example"), link: sample.link(page), seen: seen(sample) }
}
