/// Invented names. A base name is shared by three persons and three things: a surname, a town, a ship, a novel, ...
module Sample.Names

let bases =
    [ "Velmar"
      "Ashgrave"
      "Corwith"
      "Darrant"
      "Ellisor"
      "Fennimar"
      "Garrowen"
      "Hestrel"
      "Ildwyn"
      "Jorrick"
      "Kestwick"
      "Lorrane"
      "Morvane"
      "Narrell"
      "Ostrell"
      "Perrival"
      "Quillane"
      "Rosmark"
      "Selwick"
      "Tarrand"
      "Umberly"
      "Vantrose"
      "Wexholm"
      "Yarrowin"
      "Brannick"
      "Caldrey"
      "Dunmarrow"
      "Everisk"
      "Pellamy"
      "Stavering" ]

type Sex =
    | Female
    | Male

/// First names and what friends make of them.
let firstNames =
    [ "Ruth", "Ruthie", Female
      "Oswald", "Ossie", Male
      "Margaret", "Maggie", Female
      "Theodore", "Theo", Male
      "Clementine", "Clemmie", Female
      "Frederick", "Freddie", Male
      "Josephine", "Josie", Female
      "Nathaniel", "Nat", Male
      "Henrietta", "Hennie", Female
      "Augustus", "Gus", Male
      "Dorothea", "Dorrie", Female
      "Leopold", "Leo", Male
      "Philippa", "Pippa", Female
      "Sebastian", "Seb", Male
      "Matilda", "Tilda", Female
      "Ambrose", "Brose", Male ]

/// Places that occur in descriptions and sentences only; none is an entity.
let homes =
    [ "Port Serrin"
      "Lower Thask"
      "Ormsund"
      "Belcastra"
      "Gryndale"
      "Upper Mellis"
      "Sankt Orvil"
      "Tolverton"
      "Casmere Bay"
      "Dravenholt"
      "Penn Orra"
      "Marisko"
      "Novy Kellen"
      "Aldersea"
      "Rivaulta"
      "Skarnes"
      "Thornaby Cross"
      "Valdoria"
      "Winterhaugh"
      "Zelmira"
      "East Caddow"
      "Fort Lunden"
      "Hallisport"
      "Jessamy" ]

/// Abbreviations that several bodies go by. Some are registered under the letters alone, others under the words;
/// each is given as letters, kind, article and name.
let acronyms =
    [ "KRV", "company", "", "KRV"
      "KRV", "sports club", "", "KRV"
      "KRV", "college", "", "Kestwick Regional Varsity"
      "KRV", "album", "", "KRV"
      "OSA", "sports club", "", "OSA"
      "OSA", "company", "", "Ostrell Standard Artisans"
      "OSA", "film", "", "OSA"
      "OSA", "college", "the ", "Ormsund Students Academy"
      "TMD", "college", "", "TMD"
      "TMD", "novel", "", "The Morvane Decision"
      "TMD", "company", "", "TMD"
      "TMD", "ship", "the ", "Three Merry Daughters" ]
