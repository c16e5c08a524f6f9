//! To an address that an operator invited to sign up.

use crate::platform::mail::{Letter, Mail, Reader};
use time::OffsetDateTime;

pub struct Invited {
    pub link: String,
    pub at: OffsetDateTime,
    pub until: OffsetDateTime,
}

impl Letter for Invited {
    fn en(&self, to: &Reader) -> Mail {
        let (at, until) = (to.moment(self.at), to.moment(self.until));
        to.mail("You are invited to create an account")
            .text(format!("An operator of this site invited you on {at}. The link lets you create an account with this address, once, until {until}."))
            .link("Create account", &self.link)
            .text("If you did not ask for it, do nothing: without the link nothing is created.")
            .because("an operator of this site invited this address")
    }

    fn de(&self, to: &Reader) -> Mail {
        let (at, until) = (to.moment(self.at), to.moment(self.until));
        to.mail("Sie sind eingeladen, ein Konto anzulegen")
            .text(format!(
                "Eine Person, die diese Website betreibt, hat Sie am {at} eingeladen. Mit dem Link legen Sie mit dieser Adresse ein Konto an, einmal, bis {until}."
            ))
            .link("Konto anlegen", &self.link)
            .text("Wenn Sie nicht darum gebeten haben, brauchen Sie nichts zu tun: Ohne den Link wird nichts angelegt.")
            .because("diese Adresse eingeladen wurde")
    }
}
