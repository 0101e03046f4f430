-- One generation of one insurer's rights. Immutable once it is named; filled in the order of its keys.
-- Rights of a person, by the keyed pseudonym of NIR, birth date and rank; `sealed` opens for this person only.
CREATE TABLE rights (
    person BLOB NOT NULL, n INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (person, n)
) STRICT, WITHOUT ROWID;
-- The person behind the keyed pseudonym of member number, birth date and rank.
CREATE TABLE members (
    member BLOB PRIMARY KEY, person BLOB NOT NULL
) STRICT, WITHOUT ROWID;
-- How many there are, so that a delta need not count them again.
CREATE TABLE tally (
    persons INTEGER NOT NULL, rights INTEGER NOT NULL
) STRICT;
INSERT INTO tally VALUES (0, 0);
