//! Who is in the story: accounts and their places, correspondents, mail domains, and the endless list of strangers' addresses.
//!
//! All names are of reserved domains and all addresses of documentation ranges.

use super::put::Put;
use super::random::{Random, mix};

/// The mail domain of the accounts.
pub(super) const HOME_DOMAIN: &str = "dept.u.example";

/// A place mail or a login comes from.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// `name[address]`, as Postfix logs it.
    pub(super) label: String,
    pub(super) ip: String,
    /// The address as bytes, for Dovecot's session ids.
    pub(super) octets: Vec<u8>,
    pub(super) helo: String,
}

#[derive(Clone, Debug)]
pub(super) struct Person {
    /// The login name as logged; one spelling each.
    pub(super) login: String,
    pub(super) address: String,
    pub(super) campus: usize,
    pub(super) home: usize,
    /// Whether the mail program keeps mail at home by POP.
    pub(super) pop: bool,
    pub(super) method: &'static str,
    /// Whether the mail program uses port 465 rather than 587.
    pub(super) smtps: bool,
    /// Outside correspondents, numbers in [`Cast::contacts`].
    pub(super) contacts: Vec<u32>,
}

/// How a domain's servers speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    Google,
    Microsoft,
    Yahoo,
    Docomo,
    Exim,
    Postfix,
}

#[derive(Clone, Debug)]
pub(super) struct Domain {
    pub(super) name: String,
    /// `host[address]` of its mail server.
    pub(super) mx: String,
    pub(super) mx_ip: String,
    pub(super) flavour: Flavour,
}

/// A mail address of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Person(usize),
    Contact(u32),
    /// A contact's address with a slip of the pen in it.
    Mistyped(u32),
    /// The n-th address of an endless list; different numbers are different addresses.
    Stranger(u64),
}

pub(super) struct Cast {
    pub(super) people: Vec<Person>,
    pub(super) clients: Vec<Client>,
    pub(super) contacts: Vec<(String, usize)>,
    pub(super) domains: Vec<Domain>,
    salt: u64,
}

const SURNAMES: [&str; 64] = [
    "sato",
    "suzuki",
    "takahashi",
    "tanaka",
    "watanabe",
    "ito",
    "yamamoto",
    "nakamura",
    "kobayashi",
    "kato",
    "yoshida",
    "yamada",
    "sasaki",
    "yamaguchi",
    "matsumoto",
    "inoue",
    "kimura",
    "hayashi",
    "saito",
    "shimizu",
    "yamazaki",
    "mori",
    "abe",
    "ikeda",
    "hashimoto",
    "ishikawa",
    "yamashita",
    "ogawa",
    "ishii",
    "hasegawa",
    "goto",
    "okada",
    "kondo",
    "maeda",
    "fujita",
    "endo",
    "aoki",
    "sakamoto",
    "murakami",
    "ota",
    "kaneko",
    "fujii",
    "fukuda",
    "nishimura",
    "miura",
    "takeuchi",
    "nakagawa",
    "okamoto",
    "matsuda",
    "harada",
    "nakano",
    "ono",
    "tamura",
    "fujiwara",
    "nakayama",
    "ishida",
    "kojima",
    "wada",
    "morita",
    "uchida",
    "shibata",
    "sakai",
    "takagi",
    "ando",
];
const GIVEN: [&str; 24] = [
    "aya", "daisuke", "emi", "hiro", "jun", "kazu", "ken", "mai", "miki", "nao", "rika", "saki", "shin", "taro", "tomo", "yuki", "anna",
    "ben", "carla", "david", "elena", "li", "marco", "sofia",
];
const OFFICES: [&str; 4] = ["info", "office", "library", "admissions"];
const BIG_DOMAINS: [(&str, &str, Flavour); 12] = [
    ("gmail.example", "gmail-smtp-in.l.gmail.example", Flavour::Google),
    ("yahoo.example", "mx5.mail.yahoo.example", Flavour::Yahoo),
    ("outlook.example", "outlook-com.olc.protection.outlook.example", Flavour::Microsoft),
    ("docomo.example", "mfsmax.docomo.example", Flavour::Docomo),
    ("icloud.example", "mx01.mail.icloud.example", Flavour::Postfix),
    ("corp-a.example", "mail.corp-a.example", Flavour::Exim),
    ("corp-b.example", "mail.corp-b.example", Flavour::Postfix),
    ("uni-x.example", "mx.uni-x.example", Flavour::Postfix),
    ("uni-y.example", "mx1.uni-y.example", Flavour::Postfix),
    ("hotmail.example", "hotmail-com.olc.protection.outlook.example", Flavour::Microsoft),
    ("web.example", "mx-ha.web.example", Flavour::Exim),
    ("society.example", "mail.society.example", Flavour::Postfix),
];
/// Domains beyond the big ones; about a third of the strangers are there.
const SMALL_DOMAINS: usize = 180;
const PEOPLE: usize = 40;

impl Cast {
    pub(super) fn new(random: &mut Random) -> Cast {
        let mut cast = Cast { people: Vec::new(), clients: Vec::new(), contacts: Vec::new(), domains: domains(), salt: random.next() };
        cast.add_contacts(random);
        cast.add_people(random);
        cast
    }

    fn add_contacts(&mut self, random: &mut Random) {
        for number in 0..150 {
            let domain = if number < 110 { random.index(BIG_DOMAINS.len()) } else { BIG_DOMAINS.len() + random.index(SMALL_DOMAINS) };
            // The number tells apart two contacts of one name; strangers' numbers follow the name without a hyphen.
            let local = format!("{}.{}-{number}", random.pick(&GIVEN), random.pick(&SURNAMES));
            self.contacts.push((format!("{local}@{}", self.domains[domain].name), domain));
        }
    }

    fn add_people(&mut self, random: &mut Random) {
        let mut surnames = SURNAMES;
        random.shuffle(&mut surnames);
        for (number, surname) in surnames.iter().take(PEOPLE).enumerate() {
            let local = match (number, random.below(4)) {
                (0..4, _) => OFFICES[number].to_owned(),
                (_, 0) => format!("{surname}.{}", &random.pick(&GIVEN)[..1]),
                (_, 1) => format!("{}-{surname}", &random.pick(&GIVEN)[..1]),
                _ => (*surname).to_owned(),
            };
            let address = format!("{local}@{HOME_DOMAIN}");
            let campus = self.add_client(&format!("pc{number:02}.{HOME_DOMAIN}"), [192, 0, 2, 40 + number as u8], "[192.0.2.40]", random);
            let isp = if number % 2 == 0 { "isp-a" } else { "isp-b" };
            let home_name = format!("p{}-ipngn.{isp}.example", 130 + number);
            let home = self.add_client(&home_name, [198, 51, 100, 130 + number as u8], "[192.168.1.5]", random);
            let contacts = (0..random.range(5, 14)).map(|_| random.below(self.contacts.len() as u64) as u32).collect();
            self.people.push(Person {
                login: if random.chance(600) { address.clone() } else { local },
                address,
                campus,
                home,
                pop: random.chance(200),
                method: if random.chance(600) { "PLAIN" } else { "LOGIN" },
                smtps: random.chance(300),
                contacts,
            });
        }
    }

    /// Adds a client by IPv4; one in three names does not resolve back, and shows as `unknown`.
    pub(super) fn add_client(&mut self, name: &str, ip: [u8; 4], helo: &str, random: &mut Random) -> usize {
        let text = format!("{}.{}.{}.{}", ip[0], ip[1], ip[2], ip[3]);
        let shown = if random.chance(330) { "unknown" } else { name };
        self.push_client(shown, text, ip.to_vec(), helo)
    }

    /// Adds a client whose name is certain.
    pub(super) fn push_client(&mut self, name: &str, ip: String, octets: Vec<u8>, helo: &str) -> usize {
        self.clients.push(Client { label: format!("{name}[{ip}]"), ip, octets, helo: helo.to_owned() });
        self.clients.len() - 1
    }

    /// Adds the mail servers of all outside domains as clients, in the order of the domains; returns the first.
    pub(super) fn add_servers(&mut self) -> usize {
        let first = self.clients.len();
        for number in 0..self.domains.len() {
            let domain = self.domains[number].clone();
            let name = domain.mx.split('[').next().unwrap_or_default();
            let octets = vec![198, 51, 100, 1 + (number % 120) as u8];
            self.push_client(name, domain.mx_ip, octets, name);
        }
        first
    }

    /// Makes a person log in by the full address, so that the account in the log is the address mail goes to.
    pub(super) fn spell_out(&mut self, person: usize) {
        self.people[person].login = self.people[person].address.clone();
    }

    /// The mail domain of an outside address, a number in [`Cast::domains`]; `None` for the own one.
    pub(super) fn domain(&self, address: Address) -> Option<usize> {
        match address {
            Address::Person(_) => None,
            Address::Contact(number) | Address::Mistyped(number) => Some(self.contacts[number as usize].1),
            Address::Stranger(number) => Some(self.stranger_domain(mix(self.salt ^ number))),
        }
    }

    fn stranger_domain(&self, hash: u64) -> usize {
        match hash % 100 {
            percent @ 0..68 => [0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11][percent as usize / 4],
            _ => BIG_DOMAINS.len() + (hash >> 32) as usize % SMALL_DOMAINS,
        }
    }

    /// A number that belongs to an outside address for good, such as whether it exists.
    pub(super) fn lot(&self, address: Address) -> u64 {
        match address {
            Address::Stranger(number) => mix(mix(self.salt ^ number)) >> 8,
            _ => 0,
        }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>, address: Address) {
        match address {
            Address::Person(number) => {
                out.text(&self.people[number].address);
            }
            Address::Contact(number) => {
                out.text(&self.contacts[number as usize].0);
            }
            Address::Mistyped(number) => {
                out.text("x").text(&self.contacts[number as usize].0);
            }
            Address::Stranger(number) => {
                let hash = mix(self.salt ^ number);
                out.text(GIVEN[(hash >> 8) as usize % GIVEN.len()]).text(".").text(SURNAMES[(hash >> 16) as usize % SURNAMES.len()]);
                out.number(number).text("@").text(&self.domains[self.stranger_domain(hash)].name);
            }
        }
    }
}

fn domains() -> Vec<Domain> {
    let big = BIG_DOMAINS.iter().map(|(name, mx, flavour)| ((*name).to_owned(), (*mx).to_owned(), *flavour));
    let small = (0..SMALL_DOMAINS).map(|number| {
        let name = format!("{}-{number}.example", ["firm", "shop", "lab", "school", "clinic", "press"][number % 6]);
        let flavour = [Flavour::Postfix, Flavour::Exim, Flavour::Postfix, Flavour::Microsoft][number % 4];
        let mx = format!("mx{}.{name}", number % 3);
        (name, mx, flavour)
    });
    big.chain(small)
        .enumerate()
        .map(|(number, (name, mx, flavour))| {
            let mx_ip = format!("198.51.100.{}", 1 + number % 120);
            Domain { mx: format!("{mx}[{mx_ip}]"), name, mx_ip, flavour }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_addresses_of_the_cast_are_equal() {
        let cast = Cast::new(&mut Random::new(7));
        let people = (0..cast.people.len()).map(Address::Person);
        let contacts = (0..cast.contacts.len() as u32).flat_map(|n| [Address::Contact(n), Address::Mistyped(n)]);
        let strangers = (0..5000).map(Address::Stranger);
        let all: Vec<_> = people.chain(contacts).chain(strangers).collect();
        let texts: BTreeSet<Vec<u8>> = all
            .iter()
            .map(|address| {
                let mut text = Vec::new();
                cast.put(&mut text, *address);
                text
            })
            .collect();
        assert_eq!(texts.len(), all.len());
    }
}
