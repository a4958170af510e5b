//! The report and the sources, field by field. What is a fixed word, a figure or a time stays.

use super::Pseudonyms;
use crate::analysis::model::{
    Account, AccountChange, Alternative, Count, Coverage, Discovery, Evidence, EvidenceFile, FirstLogin, Gap, GeoSource, Incident, Lines,
    LowerBound, MailboxAccess, Merge, Origin, OtherAccount, PerAccount, PriorFailedLogins, ReasonTally, Report, ReturnedNotices, SameAsn,
    SameClient, SameUse, Signal, Technique,
};
use crate::ingest::sources::SourceSummary;

impl Pseudonyms<'_> {
    pub(super) fn report(&self, report: &mut Report) {
        let Report {
            schema: _,
            tool: _,
            pseudonymized: _,
            timezone: _,
            lang: _,
            tlp: _,
            evidence,
            files,
            coverage,
            incidents,
            accounts,
            merges,
            limitations,
            hints,
            geoip,
            complete: _,
        } = report;
        evidence.iter_mut().for_each(|source| self.evidence(source));
        for EvidenceFile { path, size: _, sha256: _ } in files {
            self.path(path);
        }
        coverage.iter_mut().for_each(|covered| self.coverage(covered));
        incidents.iter_mut().for_each(|incident| self.incident(incident));
        accounts.iter_mut().for_each(|account| self.account(account));
        // The order of the true names would tell much of them.
        accounts.sort_by(|a, b| a.account.cmp(&b.account));
        for Merge { spelling, account, why } in &mut *merges {
            self.name(spelling);
            self.name(account);
            self.prose(why);
        }
        merges.sort_by(|a, b| (&a.account, &a.spelling).cmp(&(&b.account, &b.spelling)));
        self.all_prose(limitations);
        self.all_prose(hints);
        for GeoSource { path, kind: _, built: _, sha256: _ } in geoip {
            self.path(path);
        }
    }

    /// A source as the tables know it.
    pub(super) fn source(&self, source: &mut SourceSummary) {
        let SourceSummary {
            id: _,
            path,
            size: _,
            sha256: _,
            format: _,
            hosts,
            first: _,
            last: _,
            ledger: _,
            malformed_samples,
            year_from: _,
            zone_from: _,
            zone: _,
            zone_conflicts: _,
            open_line: _,
            remarks: _,
            kinds: _,
            services: _,
            notes,
            complete: _,
        } = source;
        self.path(path);
        hosts.iter_mut().for_each(|host| self.host(host));
        malformed_samples.iter_mut().chain(notes).for_each(|phrase| phrase.rewrite(&mut |text| self.prose(text)));
    }

    fn evidence(&self, source: &mut Evidence) {
        let Evidence {
            id: _,
            path,
            size: _,
            sha256: _,
            format: _,
            host,
            hosts,
            first: _,
            last: _,
            lines,
            year_from: _,
            zone_from: _,
            zone: _,
            notes,
            complete: _,
        } = source;
        self.path(path);
        host.iter_mut().for_each(|host| self.host(host));
        hosts.iter_mut().for_each(|host| self.host(host));
        let Lines { total: _, used: _, ignored: _, malformed: _, ignored_because: _, malformed_samples } = lines;
        self.all_prose(malformed_samples);
        self.all_prose(notes);
    }

    fn coverage(&self, covered: &mut Coverage) {
        let Coverage { system: _, host, from: _, to: _, gaps } = covered;
        self.host(host);
        for Gap { from: _, to: _, why } in gaps {
            self.prose(why);
        }
    }

    fn incident(&self, incident: &mut Incident) {
        let Incident {
            id: _,
            accounts,
            sending_accounts,
            verdict: _,
            score: _,
            basis,
            first_login,
            first_send: _,
            last_send: _,
            last_activity: _,
            prior_failed_logins,
            protocols: _,
            origins,
            messages: _,
            recipients: _,
            blocked_by: _,
            reasons,
            returned_notices,
            mailbox_access,
            account_changes,
            other_accounts,
            same_client,
            same_asn,
            per_account,
            reach: _,
            sent_estimate: _,
            discovery,
            alternatives,
            techniques,
            lower_bounds,
            notes,
        } = incident;
        self.all_names(accounts);
        self.all_names(sending_accounts);
        for Signal { signal: _, weight: _, text, evidence: _, technique: _ } in basis {
            self.prose(text);
        }
        first_login.iter_mut().for_each(|login| self.first_login(login));
        self.earlier(prior_failed_logins);
        origins.iter_mut().for_each(|origin| self.origin(origin));
        for ReasonTally { outcome: _, by: _, class: _, messages: _, recipients: _, sample, evidence: _ } in reasons {
            *sample = self.reply(sample);
        }
        self.notices(returned_notices);
        self.mailbox(mailbox_access);
        for AccountChange { time: _, account, action, detail, failed: _, evidence: _ } in account_changes {
            self.name(account);
            *detail = self.detail(action, detail);
        }
        for OtherAccount { account, failures: _, password_known: _ } in &mut *other_accounts {
            self.name(account);
        }
        other_accounts.sort_by(|a, b| a.account.cmp(&b.account));
        self.same_client(same_client.as_deref_mut().unwrap_or_default());
        self.same_asn(same_asn.as_deref_mut().unwrap_or_default());
        *per_account = std::mem::take(per_account)
            .into_iter()
            .map(|(account, mut figures)| {
                self.per_account(&mut figures);
                (self.names.account(&account), figures)
            })
            .collect();
        if let Some(Discovery { time: _, text }) = discovery {
            self.prose(text);
        }
        for Alternative { text, speaks_for, speaks_against } in alternatives {
            self.prose(text);
            self.all_prose(speaks_for);
            self.all_prose(speaks_against);
        }
        for Technique { id: _, name: _, because } in techniques {
            self.all_prose(because);
        }
        for LowerBound { figures: _, because } in lower_bounds {
            self.prose(because);
        }
        self.all_prose(notes);
    }

    fn same_client(&self, same: &mut [SameClient]) {
        for SameClient { client, kind: _, attackers, attacker_origins: _, accounts, own_accounts } in &mut *same {
            *client = self.client(client);
            self.all_addresses(attackers);
            self.uses(accounts);
            self.uses(own_accounts);
        }
        same.sort_by(|a, b| (&a.kind, &a.client).cmp(&(&b.kind, &b.client)));
    }

    fn same_asn(&self, same: &mut [SameAsn]) {
        for SameAsn { asn, accounts } in &mut *same {
            *asn = self.names.asn(*asn);
            self.uses(accounts);
        }
        same.sort_by_key(|same| same.asn);
    }

    fn uses(&self, uses: &mut [SameUse]) {
        for used in &mut *uses {
            let SameUse {
                account,
                successes: _,
                failures: _,
                interrupted: _,
                password_known: _,
                origins,
                origin_count: _,
                first: _,
                last: _,
                evidence: _,
            } = used;
            account.iter_mut().for_each(|account| self.name(account));
            self.all_addresses(origins);
        }
        uses.sort_by(|a, b| (a.account.is_none(), &a.account).cmp(&(b.account.is_none(), &b.account)));
    }

    fn all_addresses(&self, addresses: &mut [String]) {
        addresses.iter_mut().for_each(|address| *address = self.names.address(address));
        addresses.sort();
    }

    fn per_account(&self, figures: &mut PerAccount) {
        let PerAccount {
            first_login,
            prior_failed_logins,
            first_send: _,
            last_send: _,
            last_activity: _,
            last_owner_login_before: _,
            messages: _,
            recipients: _,
            returned_notices,
            mailbox_access,
        } = figures;
        first_login.iter_mut().for_each(|login| self.first_login(login));
        self.earlier(prior_failed_logins);
        self.notices(returned_notices);
        self.mailbox(mailbox_access);
    }

    fn first_login(&self, login: &mut FirstLogin) {
        let FirstLogin { time: _, account, ip, protocol: _, client, evidence: _ } = login;
        self.name(account);
        ip.iter_mut().for_each(|ip| *ip = self.names.address(ip));
        client.iter_mut().for_each(|client| *client = self.client(client));
    }

    fn origin(&self, origin: &mut Origin) {
        let Origin {
            ip,
            asn,
            country: _,
            verdict: _,
            logins: _,
            failures: _,
            messages: _,
            first: _,
            last: _,
            first_failure: _,
            last_failure: _,
            clients,
        } = origin;
        *ip = self.names.address(ip);
        asn.iter_mut().for_each(|asn| *asn = self.names.asn(*asn));
        clients.iter_mut().for_each(|client| *client = self.client(client));
        clients.sort();
    }

    fn earlier(&self, failures: &mut PriorFailedLogins) {
        let PriorFailedLogins { account, origin } = failures;
        for Count { count: _, determinable: _, note } in [account, origin] {
            self.note(note);
        }
    }

    fn notices(&self, notices: &mut ReturnedNotices) {
        let ReturnedNotices { count: _, first: _, last: _, note } = notices;
        self.note(note);
    }

    fn mailbox(&self, access: &mut MailboxAccess) {
        let MailboxAccess { determinable: _, sessions: _, items: _, first: _, last: _, viewable: _, note } = access;
        self.note(note);
    }

    fn account(&self, of: &mut Account) {
        let Account { account, aliases, logins: _, failures: _, origins: _, first: _, last: _, messages: _, recipients: _ } = of;
        self.name(account);
        self.all_names(aliases);
        // Spellings that differ in case alone have one pseudonym.
        aliases.retain(|alias| alias != account);
        aliases.dedup();
    }

    fn all_names(&self, names: &mut [String]) {
        names.iter_mut().for_each(|name| self.name(name));
        names.sort();
    }

    fn name(&self, name: &mut String) {
        *name = self.names.account(name);
    }

    fn host(&self, host: &mut String) {
        *host = self.names.host(host);
    }

    fn path(&self, path: &mut String) {
        *path = self.names.path(path);
    }

    fn note(&self, note: &mut Option<String>) {
        note.iter_mut().for_each(|note| self.prose(note));
    }

    fn all_prose(&self, texts: &mut [String]) {
        texts.iter_mut().for_each(|text| self.prose(text));
    }

    fn prose(&self, text: &mut String) {
        *text = self.sentence(text);
    }
}
