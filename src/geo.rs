//! Countries and networks of addresses, from databases on disk in the MaxMind DB format
//! (<https://maxmind.github.io/MaxMind-DB/>). Nothing is looked up anywhere else.

use crate::domain::time::Timestamp;
use maxminddb::{PathElement, Reader, path};
use serde::Deserialize;
use std::net::IpAddr;

/// Where an address is and whose it is, as far as the databases tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// ISO 3166 code of two letters.
    pub country: Option<String>,
    /// Number of the autonomous system that announces it, and its holder.
    pub asn: Option<u32>,
    pub holder: Option<String>,
    /// Latitude and longitude in degrees; they can be hundreds of kilometres off.
    pub at: Option<(f64, f64)>,
}

/// The databases of a run, asked in their order.
#[derive(Default)]
pub struct Geo {
    databases: Vec<Database>,
}

/// One database.
pub struct Database {
    /// As it was given.
    pub path: String,
    /// The kind that it says it is of.
    pub kind: String,
    pub built: Timestamp,
    pub sha256: String,
    reader: Reader<Vec<u8>>,
}

/// A file that is no such database.
#[derive(Debug, thiserror::Error)]
#[error("not a MaxMind DB: {0}")]
pub struct NoDatabase(String);

impl std::fmt::Debug for Geo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.databases.iter().map(|database| &database.path)).finish()
    }
}

impl Geo {
    /// Adds a database by its bytes.
    ///
    /// # Errors
    /// Fails if they are no MaxMind DB.
    pub fn add(&mut self, path: &str, sha256: String, bytes: Vec<u8>) -> Result<(), NoDatabase> {
        let reader = Reader::from_source(bytes).map_err(|error| NoDatabase(error.to_string()))?;
        let built = Timestamp::from_seconds(i64::try_from(reader.metadata().build_epoch).unwrap_or(0));
        let kind = reader.metadata().database_type.clone();
        self.databases.push(Database { path: path.to_owned(), kind, built, sha256, reader });
        Ok(())
    }

    /// The databases, in their order.
    #[must_use]
    pub fn databases(&self) -> &[Database] {
        &self.databases
    }

    /// What the databases tell of an address; of each part the first that knows it.
    #[must_use]
    pub fn place(&self, ip: IpAddr) -> Place {
        let mut place = Place::default();
        for database in &self.databases {
            let found = database.place(ip);
            place.country = place.country.or(found.country);
            place.holder = place.holder.or_else(|| if place.asn.is_none() { found.holder } else { None });
            place.asn = place.asn.or(found.asn);
            place.at = place.at.or(found.at);
        }
        place
    }
}

impl Database {
    /// The names of fields are those of GeoLite2 and of the databases made after it, and the flat ones of others.
    fn place(&self, ip: IpAddr) -> Place {
        let text = |path: &[PathElement<'_>]| self.part::<String>(ip, path);
        let country = text(&path!["country", "iso_code"]).or_else(|| text(&path!["country_code"])).or_else(|| text(&path!["country"]));
        let named = || text(&path!["asn"]).and_then(|asn| asn.trim_start_matches("AS").parse().ok());
        let latitude = self.part::<f64>(ip, &path!["location", "latitude"]);
        Place {
            country: country.filter(|code| code.len() == 2).map(|code| code.to_ascii_uppercase()),
            asn: self.part::<u32>(ip, &path!["autonomous_system_number"]).or_else(named),
            holder: text(&path!["autonomous_system_organization"]).or_else(|| text(&path!["as_name"])),
            at: latitude.zip(self.part::<f64>(ip, &path!["location", "longitude"])),
        }
    }

    /// One field of an address's record; a record of another shape does not have it.
    fn part<T: for<'de> Deserialize<'de>>(&self, ip: IpAddr, path: &[PathElement<'_>]) -> Option<T> {
        self.reader.lookup(ip).ok()?.decode_path::<T>(path).ok()?
    }
}

/// Kilometres between two places on the globe, by the haversine formula on a sphere of 6,371 km.
#[must_use]
pub fn kilometres(a: (f64, f64), b: (f64, f64)) -> f64 {
    const RADIUS: f64 = 6371.0;
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let (north, east) = (lat_b - lat_a, (b.1 - a.1).to_radians());
    let h = (north / 2.0).sin().powi(2) + lat_a.cos() * lat_b.cos() * (east / 2.0).sin().powi(2);
    2.0 * RADIUS * h.clamp(0.0, 1.0).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_database_is_refused_and_nothing_is_known_of_any_address() {
        let mut geo = Geo::default();
        assert!(geo.add("x.mmdb", String::new(), b"no database".to_vec()).unwrap_err().to_string().starts_with("not a MaxMind DB"));
        assert_eq!(geo.place("203.0.113.7".parse().unwrap()), Place::default());
    }

    #[test]
    fn tokyo_and_frankfurt_are_9300_kilometres_apart() {
        let far = kilometres((35.7, 139.7), (50.1, 8.7));
        assert!((9200.0..9450.0).contains(&far), "{far}");
        assert!(kilometres((35.7, 139.7), (35.7, 139.7)) < 0.001);
    }
}
