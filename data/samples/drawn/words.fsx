/// What the drawn sample says. A kind and a topic each have wordings for descriptions and for sentences: same meaning, few
/// words in common. Of every list of sentences the first is dev's, the second test's, the others train's.
module Drawn.Words

/// A wording for descriptions, and wordings for sentences.
type Meaning = { Label: string; Describe: string list; Say: string list }

let meaning label describe say = { Label = label; Describe = describe; Say = say }

/// Exact names, each of four entities.
let names =
    [ "Ambrella"
      "Belcourt"
      "Cresmont"
      "Dalverne"
      "Ettawick"
      "Farrowby"
      "Glenmire"
      "Harkwell"
      "Istrane"
      "Jessamere"
      "Korvale"
      "Lindisby"
      "Morrigal"
      "Norwenna"
      "Orrisdale"
      "Penhallow" ]

/// What can be seen. {m} is the mention; no sentence names the kind.
let kinds =
    [ meaning
          "lighthouse"
          [ "A lighthouse on a rocky headland."; "A tall lighthouse at a harbour's mouth." ]
          [ "In thick fog the beam of {m} warned ships off the rocks"
            "At dusk the keeper lit the lamp of {m} for the ships at sea"
            "All night the lamp of {m} swept across the black water"
            "Sailors far out at sea steered by the light of {m}"
            "The keeper climbed the spiral stairs of {m} to trim the lamp" ]
      meaning
          "sailing boat"
          [ "A sailing boat with two white sails."; "A small wooden sailing boat." ]
          [ "The skipper hoisted the sails of {m} and left the harbour"
            "A fresh wind carried {m} out across the bay"
            "The crew of {m} reefed the mainsail and turned into the wind"
            "{m} dropped anchor in the bay with her sails furled"
            "The helmsman brought {m} alongside the quay" ]
      meaning
          "windmill"
          [ "A windmill where grain was ground."; "An old windmill on a hill." ]
          [ "The miller stopped the turning arms of {m} to mend the canvas"
            "Farmers brought their wheat to be ground by the wind at {m}"
            "The miller of {m} filled sacks of flour whenever a breeze blew"
            "The four arms of {m} turned and the stones ground the corn"
            "When the wind rose, flour ran from the stones of {m}" ]
      meaning
          "locomotive"
          [ "A steam locomotive of a branch line."; "A locomotive built for express trains." ]
          [ "The stoker of {m} shovelled coal until the train reached the station"
            "{m} pulled out of the station with nine carriages behind"
            "The driver of {m} blew the whistle at the railway crossing"
            "Steam rose from {m} as the carriages were coupled on the track"
            "With a hiss {m} drew its carriages along the rails" ]
      meaning
          "bridge"
          [ "A suspension bridge over a river."; "A long bridge between two banks." ]
          [ "Traffic crossed the river by {m} every morning"
            "Walkers went over {m} from one bank of the river to the other"
            "Carts rolled over {m} high above the river"
            "Before {m} was built, a ferry took people to the other bank"
            "The cables of {m} carry the road across the river" ]
      meaning
          "tree"
          [ "An old tree with a wide crown."; "A tree with red fruit." ]
          [ "Birds nested among the leaves and branches of {m}"
            "In autumn the leaves of {m} turned yellow and fell"
            "The roots of {m} go deep, and its trunk is hollow"
            "They rested in the shade under the branches of {m}"
            "Every spring {m} put out blossoms and green leaves" ]
      meaning
          "balloon"
          [ "A hot-air balloon with a wicker basket."; "A striped hot-air balloon." ]
          [ "The burner roared and {m} lifted its basket above the fields"
            "Two passengers in the basket of {m} floated over the town"
            "Hot air filled {m} and it rose into the sky with three aboard"
            "The pilot of {m} let out hot air and came down in a field"
            "From the basket of {m} they looked down on the roofs" ]
      meaning
          "bottle"
          [ "A bottle of green glass with a label."; "A bottle that held an old wine." ]
          [ "The cork of {m} was drawn and the wine poured"
            "The waiter poured a glass of wine from {m}"
            "Somebody pulled the cork, and {m} was empty within the hour"
            "The wine in {m} had lain in the cellar for forty years"
            "They filled their glasses from {m} and drank" ]
      meaning
          "kite"
          [ "A kite of paper and bamboo."; "A diamond-shaped kite with a long tail." ]
          [ "The girl let out more string and {m} climbed in the wind"
            "{m} tugged at its string high above the beach"
            "The boy ran down the hill with the string, and {m} rose into the air"
            "The string snapped, and {m} sailed off over the dunes with its tail waving"
            "Two hands were needed to hold the string of {m} in the wind" ]
      meaning
          "bicycle"
          [ "A bicycle with a light frame."; "A racing bicycle." ]
          [ "She pedalled {m} up the hill without changing gear"
            "He oiled the chain of {m} and pumped up its tyres"
            "The rider of {m} leaned over the handlebars and pedalled hard"
            "A puncture in the front tyre of {m} ended the ride"
            "He put the saddle of {m} higher and pedalled off" ]
      meaning
          "castle"
          [ "A castle with two towers."; "A castle built for a duke." ]
          [ "The duke's knights rode through the gate of {m} and shut it"
            "From the towers of {m} archers looked down on the besiegers"
            "The king's guards stood on the walls of {m}"
            "The queen was held in a tower of {m} behind thick walls"
            "Knights defended the gate and the walls of {m}" ]
      meaning
          "teapot"
          [ "A teapot of painted porcelain."; "A round teapot with a lid." ]
          [ "Grandmother filled {m} with boiling water and fetched the cups"
            "She warmed {m}, put in four spoons of leaves and let it brew"
            "The hot drink was poured from {m} into porcelain cups"
            "The lid of {m} rattled as she poured the last cup"
            "They sat around {m} with milk, sugar and cups" ] ]

/// What can be told and not seen; sentences go on with it.
let topics =
    [ meaning
          "film"
          [ "Known from a silent film."; "It appears in a famous film." ]
          [ ", while the film crew began to shoot"
            ", and the actress walked past the camera once more"
            ", and the director called for another scene"
            ", while the cameras rolled and the actors waited"
            ", where the movie crew had put up its lights" ]
      meaning
          "storm"
          [ "Damaged by a great storm."; "It survived a hurricane." ]
          [ ", although the hurricane had raged until morning"
            ", in spite of lightning and the howling gale"
            ", the day after the storm had done so much damage"
            ", while thunder rolled and the gale grew worse"
            ", after a night of hurricane, lightning and hail" ]
      meaning
          "auction"
          [ "Sold at an auction for a record price."; "A collector bought it at an auction." ]
          [ ", and the auctioneer let the hammer fall"
            ", and the bids went up to a million"
            ", before the bidding began"
            ", and a collector paid the highest price"
            ", while buyers whispered about the price" ]
      meaning
          "festival"
          [ "Celebrated with a music festival every summer."
            "A festival of dancing and music is named after it." ]
          [ ", while the band played and everyone danced"
            ", and there was singing and dancing all night"
            ", as the musicians tuned up for the concert"
            ", and the crowd danced to the fiddles"
            ", while a choir sang and the drums joined in" ]
      meaning
          "school"
          [ "Pupils learn about it at school."; "It stands in every school book." ]
          [ ", and the teacher asked her pupils what they knew"
            ", which the class then had to write an essay about"
            ", and the pupils wrote it all in their exercise books"
            ", as the teacher explained to her class"
            ", and for homework the children drew it" ]
      meaning
          "science"
          [ "Studied by physicists and chemists."; "An experiment made it known to science." ]
          [ ", and the physicist read off her instruments"
            ", and the chemists repeated their experiment"
            ", while researchers noted the measurements"
            ", as the professor had calculated"
            ", and the laboratory published its results" ] ]

/// Beginnings and ends that say nothing of use.
let vague =
    [ "At last they stood before {m}"
      "People still like to talk of {m}"
      "Nobody who saw {m} forgot it"
      "There was much talk of {m} that day"
      "They had come a long way to see {m}"
      "Everybody turned to look at {m}"
      "Here is {m} as visitors know it" ]

let vagueEnds =
    [ ", and nobody said a word"
      ", and it was late when they went home"
      ""
      ", as so often"
      ", and not for the first time"
      ", and somebody took a picture"
      ", one Sunday in May" ]
