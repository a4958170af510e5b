//! One spelling for each address: version 6 has many ways to write one (RFC 4291, section 2.2), and programs differ in them.

use crate::domain::rows::Rows;
use crate::domain::text::{Text, TextPool};
use hashbrown::HashMap;
use std::net::Ipv6Addr;

/// Gives each address its canonical form (RFC 5952); one of version 4 in the clothes of version 6 becomes plain.
pub(super) fn spell_alike(rows: &mut Rows) {
    let Rows { texts, logins, messages, mailbox_uses, actions, untold, .. } = rows;
    let mut known: HashMap<Text, Text> = HashMap::new();
    let of_logins = logins.iter_mut().map(|row| &mut row.address);
    let of_messages = messages.iter_mut().map(|row| &mut row.address);
    let of_uses = mailbox_uses.iter_mut().map(|row| &mut row.address);
    let of_actions = actions.iter_mut().map(|row| &mut row.address);
    let of_untold = untold.iter_mut().map(|row| &mut row.address);
    for address in of_logins.chain(of_messages).chain(of_uses).chain(of_actions).chain(of_untold).flatten() {
        *address = *known.entry(*address).or_insert_with(|| canonical(texts, *address));
    }
}

fn canonical(texts: &mut TextPool, address: Text) -> Text {
    let spelt = Some(texts.bytes(address)).filter(|bytes| bytes.contains(&b':')).and_then(|bytes| std::str::from_utf8(bytes).ok());
    match spelt.and_then(|spelt| spelt.parse::<Ipv6Addr>().ok()) {
        Some(ip) => texts.intern(ip.to_canonical().to_string().as_bytes()),
        None => address,
    }
}

#[cfg(test)]
mod tests {
    use crate::correlate::testing::rows_of_files;
    use std::collections::BTreeSet;

    #[test]
    fn an_address_is_one_however_it_is_written() {
        let spellings = ["2001:db8::a", "2001:DB8::A", "2001:db8:0:0:0:0:0:a", "2001:0db8::000a"];
        let log: String = (10..)
            .zip(spellings)
            .map(|(minute, address)| {
                format!(
                    "Oct 31 16:{minute}:01 mail postfix/smtpd[7]: 1A2B3C4D{minute}: client=unknown[{address}], sasl_method=PLAIN, sasl_username=suzuki
Oct 31 16:{minute}:02 mail postfix/qmgr[9]: 1A2B3C4D{minute}: from=<suzuki@u.example>, size=267, nrcpt=1 (queue active)
"
                )
            })
            .collect();
        let rows = rows_of_files(&[&log]);
        let of_logins: BTreeSet<String> = rows.logins.iter().filter_map(|row| row.address).map(|address| rows.show(address)).collect();
        let of_messages: BTreeSet<String> = rows.messages.iter().filter_map(|row| row.address).map(|address| rows.show(address)).collect();
        assert_eq!((rows.logins.len(), rows.messages.len()), (4, 4));
        assert_eq!(of_logins, BTreeSet::from(["2001:db8::a".to_owned()]));
        assert_eq!(of_messages, of_logins);
    }
}
