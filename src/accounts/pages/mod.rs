//! The pages of accounts, one file each.

mod forgot_password;
mod keep_factors;
mod profile;
mod reset_password;
mod security;
mod sessions;
mod sign_in;
mod sign_in_code;
mod sign_out;
mod sign_up;
mod step_up;
mod two_factor;
mod verify_email;

pub use forgot_password::ForgotPasswordPage;
pub use keep_factors::KeepFactorsPage;
pub use profile::ProfilePage;
pub use reset_password::ResetPasswordPage;
pub use security::SecurityPage;
pub use sessions::SessionsPage;
pub use sign_in::SignInPage;
pub use sign_in_code::SignInCodePage;
pub use sign_out::SignOutPage;
pub use sign_up::SignUpPage;
pub use step_up::StepUpPage;
pub use two_factor::{AuthenticatorPage, RecoveryCodesPage};
pub use verify_email::VerifyEmailPage;
