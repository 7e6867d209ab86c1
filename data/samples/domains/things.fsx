/// The kinds of things: places, ships, works, bodies, events, animals, plants.
module Sample.Things

open Sample.Model

let town =
    thing
        "town"
        ""
        [ "", "{b}"; "", "{b}"; "", "New {b}" ]
        [ "It belongs to the district of {home}."; "The nearest city is {home}." ]
        [ variant
              "fishing port"
              [ "a fishing port on the coast"; "a seaside town that lives on its harbour and fish market" ]
              [ "Trawlers unload herring on the quay of {m}"
                "In {m} the nets are mended on the pier after each catch"
                "Gulls circle above the smokehouses and the lighthouse of {m}"
                "{m} lost eleven boats in the great storm of {year}"
                "Every alley in {m} smells of cod and tar"
                "At low tide the cutters of {m} lie on the mud" ]
          variant
              "mining town"
              [ "a mining town that grew around its collieries"
                "an industrial settlement founded for coal and ore" ]
              [ "The last shaft in {m} closed and the winding tower rusts"
                "Pit ponies once hauled tubs of coal below {m}"
                "Black dust lay on every window sill in {m}"
                "Slag heaps ring the brick rows of {m} on the road to {home}"
                "Half the men of {m} were underground when the gas exploded"
                "A vein of copper made {m} rich overnight" ]
          variant
              "spa town"
              [ "a spa town with thermal springs"; "a health resort known for its mineral waters" ]
              [ "Guests stroll through the pump room of {m} with a glass in hand"
                "Rheumatic generals took the baths at {m} each summer"
                "Hot sulphurous water bubbles up beneath the colonnade in {m}"
                "{m} has white hotels, a bandstand and mud cures"
                "Doctors in {home} sent their nervous patients to {m}"
                "Ladies with parasols came to {m} to drink and to bathe" ] ]

let river =
    thing
        "river"
        "the "
        [ "the ", "{b}"; "the ", "River {b}"; "the ", "{b} Water" ]
        [ "It passes {home}."; "It reaches its mouth near {home}." ]
        [ variant
              "salmon river"
              [ "a clear upland river with salmon and trout"; "a stream famous for angling" ]
              [ "Fly fishermen stand to their thighs in {m} in May"
                "Silver fish leap the weir of {m} to spawn"
                "He hooked a twenty-pounder in a pool of {m}"
                "Poachers set lines by night along {m}"
                "The shallow riffles of {m} run over pebbles under alders"
                "A licence to cast a rod in {m} costs a fortune in {home}" ]
          variant
              "navigable river"
              [ "a broad navigable river carrying inland shipping"; "a lowland waterway with locks and barges" ]
              [ "Tugs push grain barges down {m} to the docks"
                "The lock keepers of {m} wait for the coal boats"
                "Cargo from {home} goes upstream on {m} by steamer"
                "{m} was dredged so that freight could pass all year"
                "Warehouses and cranes line the embankment of {m}"
                "Low water on {m} stopped the container traffic" ]
          variant
              "glacial river"
              [ "a torrent fed by glaciers"; "a mountain river of meltwater and rapids" ]
              [ "Milky with ground rock, {m} bursts out beneath the ice"
                "Rafters capsized in the white water of {m}"
                "{m} roars through a canyon below the snowfields"
                "In hot summers {m} swells as the snout of the icefield thaws"
                "A cable ferry crosses the foaming {m} above {home}"
                "Kayakers dread the third cataract of {m}" ] ]

let mountain =
    thing
        "mountain"
        ""
        [ "", "Mount {b}"; "", "{b}"; "", "{b} Fell" ]
        [ "It rises above {home}."; "It is visible from {home}." ]
        [ variant
              "volcano"
              [ "an active volcano that still spews fire"; "a stratovolcano with a smoking crater" ]
              [ "Ash from {m} closed the airports for a week"
                "Lava poured down the flank of {m} towards the vineyards"
                "When {m} erupted in {year}, night fell at noon in {home}"
                "Steam and sulphur rise from the summit of {m}"
                "Glowing cinders flew out of {m}"
                "Seismographs recorded tremors under {m} before the explosion" ]
          variant
              "climbing peak"
              [ "a steep rocky peak sought by mountaineers"; "a high summit with a feared north face" ]
              [ "Two alpinists froze on a ledge of {m}"
                "Roped together, they reached the top of {m} on the fourth attempt"
                "The overhang on the granite wall of {m} was first climbed in {year}"
                "Pitons and tattered ropes hang in the couloir of {m}"
                "Base camp for {m} lies a day's march from {home}"
                "An avalanche swept the bivouac on {m} away" ]
          variant
              "ski mountain"
              [ "a mountain with a winter sports resort"; "a rounded mountain crossed by ski runs and lifts" ]
              [ "Chairlifts carry beginners halfway up {m}"
                "Fresh powder drew thousands to the pistes of {m}"
                "The slalom on {m} was cancelled for want of snow"
                "Snowboarders built a jump below the gondola on {m}"
                "Chalets and floodlit slopes cover the side of {m} facing {home}"
                "She broke a leg on the black run of {m}" ] ]

let ship =
    thing
        "ship"
        "the "
        [ "the ", "{b}"; "the ", "{b} Star"; "the ", "{b}" ]
        [ "Built in a yard at {home}."; "Her home port was {home}." ]
        [ variant
              "icebreaker"
              [ "an icebreaker and research ship in polar service"
                "a vessel built for navigation through frozen seas" ]
              [ "{m} crushed a channel through the floes for the supply convoy"
                "Scientists on board {m} drilled cores from the frozen sea"
                "The reinforced bow of {m} rode up and split the pack"
                "{m} was beset for the winter at eighty degrees north"
                "Polar bears came up to the hull of {m}"
                "From {home}, {m} sailed to relieve the Arctic station" ]
          variant
              "ferry"
              [ "a passenger and car ferry"; "a roll-on roll-off vessel on a short sea route" ]
              [ "Lorries queue to drive aboard {m}"
                "{m} makes the crossing to the island twice a day"
                "Commuters drink coffee on the upper deck of {m}"
                "Holidaymakers missed {m} and waited on the landing stage in {home}"
                "The bow door of {m} opened onto the ramp"
                "Fog kept {m} and four hundred travellers in port" ]
          variant
              "frigate"
              [ "a frigate of the navy"; "a warship with guns and a large crew" ]
              [ "{m} fired a broadside at the pirate brig"
                "A torpedo struck {m} below the magazine"
                "The admiral hoisted his flag on {m}"
                "Gunners of {m} drilled in rough seas off {home}"
                "{m} escorted the convoy and sank a submarine"
                "Depth charges rolled off the stern of {m}" ] ]

let novel =
    thing
        "novel"
        ""
        [ "", "{b}"; "", "The {b} Inheritance"; "", "The House of {b}" ]
        [ "It was first published in {home}."; "It is set in {home}." ]
        [ variant
              "detective novel"
              [ "a crime novel about a private detective"; "a murder mystery in book form" ]
              [ "In {m} the butler is found stabbed in the locked library"
                "Readers of {m} suspect the vicar until the last chapter"
                "The inspector in {m} solves the poisoning by a train ticket"
                "Who strangled the heiress is the riddle of {m}"
                "{m} scatters false clues on every page"
                "A corpse in the rectory of {home} opens {m}" ]
          variant
              "family saga"
              [ "a novel following several generations of a family"
                "a long realist novel about the decline of a merchant house" ]
              [ "{m} tells of grandparents, sons and quarrelling cousins over eighty years"
                "The wedding that ends part two of {m} ruins the dynasty"
                "In {m} the youngest daughter sells the ancestral home"
                "Seven hundred pages of births, wills and funerals make up {m}"
                "The patriarch in {m} disowns his heirs in {home}"
                "Critics compared the clan of {m} to their own relatives" ]
          variant
              "science fiction"
              [ "a science fiction novel set in the distant future"
                "a work of speculative fiction about space colonists" ]
              [ "Robots rebel on a distant planet in {m}"
                "{m} imagines humanity asleep on a starship for a thousand years"
                "The aliens of {m} speak in colours"
                "In {m} a time machine strands a clerk from {home} in the far future"
                "{m} foresaw the pocket computer and the colony on Mars"
                "A galactic empire crumbles in the last volume of {m}" ] ]

let album =
    thing
        "album"
        ""
        [ "", "{b}"; "", "{b} Nights"; "", "Songs for {b}" ]
        [ "It was recorded in {home}."; "Its makers came from {home}." ]
        [ variant
              "electronic album"
              [ "an album of electronic dance music"; "a record of synthesizer and techno tracks" ]
              [ "The drum machine on {m} fills dance floors to this day"
                "DJs sampled the bass line of {m}"
                "{m} was made with two keyboards and a sequencer in a bedroom"
                "Ravers in {home} heard {m} over the strobe lights"
                "Pulsing loops and robot voices run through {m}"
                "{m} put ambient beats in the charts" ]
          variant
              "folk album"
              [ "an album of acoustic folk songs"; "a collection of traditional ballads on record" ]
              [ "Only a guitar and two voices are heard on {m}"
                "{m} opens with a lullaby for banjo"
                "On {m} the singer revives shepherds' tunes from {home}"
                "The fiddle reel on side two of {m} is a village favourite"
                "{m} was taped in a barn with crickets in the background"
                "Harvest songs and murder ballads fill {m}" ]
          variant
              "metal album"
              [ "an album by a heavy metal band"; "a record of loud hard rock" ]
              [ "Distorted guitars and screaming open {m}"
                "The double bass drum on {m} shook the arena in {home}"
                "Parents' groups wanted the skull cover of {m} banned"
                "{m} went platinum among headbangers"
                "A shredding solo eight minutes long closes {m}"
                "On {m} the amplifiers were turned up to the limit" ] ]

let film =
    thing
        "film"
        ""
        [ "", "{b}"; "", "Return to {b}"; "", "{b} at Midnight" ]
        [ "It was shot in {home}."; "It premiered in {home}." ]
        [ variant
              "western"
              [ "a western about outlaws and the law of the frontier"
                "a motion picture about gunfighters in the Old West" ]
              [ "In {m} the sheriff waits alone for the noon train"
                "Cowboys drive the herd across the prairie in {m}"
                "The saloon shoot-out of {m} took nine days to stage"
                "Stagecoach robbers ride through the dust in {m}"
                "A lone rider with a rifle saves the homestead in {m}"
                "{m} ends with two men drawing revolvers in the street" ]
          variant
              "horror film"
              [ "a horror film about ghosts and monsters"; "a frightening motion picture about the supernatural" ]
              [ "Viewers of {m} fainted when the coffin opened"
                "A vampire stalks the castle in {m}"
                "In {m} the dead leave their graves on Halloween"
                "The doll blinks in the scariest scene of {m}"
                "{m} was forbidden to anyone under eighteen in {home} for its blood"
                "Nobody dared look in the cellar after seeing {m}" ]
          variant
              "romantic comedy"
              [ "a romantic comedy film about an unlikely couple"; "a light-hearted screen love story" ]
              [ "In {m} two rivals fall for each other over a lost umbrella"
                "The kiss in the rain ends {m}"
                "Couples giggled at the mistaken bride in {m}"
                "{m} has a florist woo the wrong twin in {home}"
                "A broken engagement and a wet dog bring the lovers of {m} together"
                "{m} made first-date audiences laugh and sigh" ] ]

let company =
    thing
        "company"
        ""
        [ "", "{b} & Sons"; "", "{b} Works"; "", "{b}" ]
        [ "It has its seat in {home}."; "It was founded in {home}." ]
        [ variant
              "watchmaker"
              [ "a manufacturer of clocks and wristwatches"; "a maker of precision timepieces" ]
              [ "{m} engraves every case and polishes each gear by hand"
                "The pendulum movements of {m} lose a second a month"
                "Jewellers in {home} repair old chronographs by {m}"
                "{m} refused to use quartz and almost went bankrupt"
                "Railwaymen carried pocket timekeepers from {m}"
                "A diver's model by {m} still ticked after a year on the sea floor" ]
          variant
              "brewery"
              [ "a brewery of traditional beers"; "a producer of beer and ale" ]
              [ "Copper kettles of {m} steam with hops and malt"
                "{m} taps the first barrel of stout every October"
                "Draymen delivered kegs from {m} to every pub in {home}"
                "A bitter lager from {m} took the prize"
                "{m} ferments its wheat drink in open vats"
                "Drinkers complained that {m} had watered down the pint" ]
          variant
              "aircraft maker"
              [ "a manufacturer of aircraft"; "an aerospace firm that builds passenger planes" ]
              [ "{m} rolled its first jet out of the hangar"
                "Airlines cancelled orders with {m} after the wing cracked"
                "The test pilot of {m} looped over {home}"
                "{m} riveted fuselages for the mail service"
                "A twin-engined seaplane by {m} landed on the lake"
                "Propellers from {m} pulled bombers in the war" ] ]

let club =
    thing
        "sports club"
        ""
        [ "", "{b} Rovers"; "", "{b} Athletic"; "", "{b}" ]
        [ "It is based in {home}."; "It represents {home}." ]
        [ variant
              "football club"
              [ "an association football club"; "a professional football team playing in the league" ]
              [ "{m} were relegated after losing the last game one-nil"
                "Supporters of {m} sang behind the goal"
                "{m} signed a winger for a record transfer fee"
                "A late equaliser kept {m} in the cup"
                "{m} drew nil-nil before nine hundred in {home}"
                "The stadium of {m} was full for the derby kick-off" ]
          variant
              "rugby club"
              [ "a rugby football club of the first division"; "a rugby union side known for its forwards" ]
              [ "The scrum of {m} pushed the pack back ten yards"
                "{m} scored five tries in the mud"
                "A drop goal and two conversions gave {m} the shield"
                "The prop of {m} left the line-out with a bandaged ear"
                "{m} passed the oval ball along the backs at {home}"
                "Hooker and flankers of {m} won the ruck" ]
          variant
              "ice hockey club"
              [ "an ice hockey club of the top league"; "a hockey team playing in an ice rink" ]
              [ "The puck was in the net of {m} after nine seconds"
                "{m} survived two power plays in overtime"
                "A brawl against the boards left {m} a skater short"
                "The goaltender of {m} lost his mask"
                "{m} flooded the rink in {home} and began training on blades"
                "A slap shot from the blue line won the play-off for {m}" ] ]

let college =
    thing
        "college"
        ""
        [ "the ", "University of {b}"; "", "{b} College"; "the ", "{b} Institute" ]
        [ "Its campus is in {home}."; "It was endowed by the merchants of {home}." ]
        [ variant
              "medical school"
              [ "a medical school attached to a hospital"; "an academy that trains doctors and nurses" ]
              [ "Students at {m} dissect in the anatomy theatre"
                "She qualified as a surgeon at {m}"
                "{m} runs a clinic where interns see patients"
                "Lecturers of {m} discovered the vaccine"
                "The future midwives of {m} practise on dolls"
                "Freshers at {m} memorise bones and nerves in {home}" ]
          variant
              "agricultural college"
              [ "a college of agriculture and forestry"; "a school of farming and animal husbandry" ]
              [ "{m} keeps a dairy herd for its undergraduates"
                "At {m} one learns to graft, plough and judge soil"
                "The experimental pigsty of {m} is famous in {home}"
                "A degree in sheep breeding is offered by {m}"
                "Tractors stand before the lecture hall of {m}"
                "{m} taught foresters how to thin spruce" ]
          variant
              "conservatory"
              [ "a conservatory of music"; "an academy for singers and instrumentalists" ]
              [ "Scales and arias sound from the practice rooms of {m}"
                "He studied the cello at {m} under a famous maestro"
                "The choir of {m} sang the requiem in {home}"
                "{m} auditions two hundred pianists a year"
                "Graduates of {m} play in every opera pit"
                "Composers teach harmony and counterpoint at {m}" ] ]

let battle =
    thing
        "battle"
        ""
        [ "the ", "Battle of {b}"; "the ", "Battle of {b}"; "", "{b}" ]
        [ "It took place near {home}."; "It was followed by the peace of {home}." ]
        [ variant
              "naval battle"
              [ "a naval battle between two fleets"; "a sea fight of ships of the line" ]
              [ "Nine galleons burnt and sank at {m}"
                "The admiral broke the enemy line at {m} and lost his mast"
                "At {m} cannonballs raked the decks for six hours"
                "Sailors who drowned in {m} are remembered on a column in {home}"
                "Fireships decided {m} when the wind turned"
                "{m} gave the victors command of the ocean" ]
          variant
              "siege"
              [ "a siege of a walled city"; "the long investment and storming of a fortress" ]
              [ "During {m} the garrison ate rats behind the ramparts"
                "Sappers dug a mine under the gate at {m}"
                "{m} ended when the starving citadel opened its doors"
                "Catapults threw burning pitch over the battlements at {m}"
                "For nine months of {m} no bread reached {home}"
                "The breach in the bastion settled {m}" ]
          variant
              "cavalry battle"
              [ "a land battle won by a cavalry charge"
                "a field engagement in which mounted troops decided the day" ]
              [ "At {m} the hussars galloped into the infantry squares"
                "Lancers on tired horses turned the flank at {m}"
                "The dragoons who fell at {m} lie in one grave"
                "Sabres drawn, the riders swept the meadow at {m}"
                "{m} was lost when the reserve squadrons bolted towards {home}"
                "Muskets fell silent at {m} as the horsemen broke through" ] ]

let celestial =
    thing
        "celestial object"
        ""
        [ "", "{b}"; "", "{b} Minor" ]
        [ "It was first seen from {home}."; "It was discovered at the observatory in {home}." ]
        [ variant
              "comet"
              [ "a periodic comet with an icy nucleus"; "a comet with a long orbit around the Sun" ]
              [ "The tail of {m} stretched over a third of the sky"
                "{m} returns every seventy-one years and frightened our ancestors"
                "Ice and dust boiled off {m} as it neared perihelion"
                "With field glasses one can see the green coma of {m} from {home}"
                "{m} broke into pieces on its way round the Sun"
                "A probe flew past the dirty snowball {m}" ]
          variant
              "asteroid"
              [ "an asteroid of the main belt"; "a minor planet of rock and metal" ]
              [ "{m} tumbles between Mars and Jupiter like a potato"
                "Astronomers ruled out that {m} will ever hit the Earth"
                "The spacecraft scooped gravel from {m}"
                "{m} is a lump of iron twelve kilometres across"
                "Radar showed a small moonlet circling {m}"
                "Engineers dream of quarrying {m} for nickel" ]
          variant
              "crater"
              [ "an impact crater on the Moon"; "a lunar crater with a central peak" ]
              [ "The shadowed floor of {m} may hold frozen water for astronauts"
                "At first quarter the rim of {m} stands out on the terminator"
                "Bright rays spread from {m} over the lunar plain"
                "The orbiter photographed terraces on the inner walls of {m}"
                "A meteorite blasted {m} out of the grey highlands above us"
                "Moon walkers drove their buggy to the edge of {m}" ] ]

let horse =
    thing
        "horse"
        ""
        [ "", "{b}"; "", "{b} Lad"; "", "Lady {b}" ]
        [ "Bred at a stud near {home}."; "Owned by a stable in {home}." ]
        [ variant
              "steeplechaser"
              [ "a racehorse that ran over fences"; "a steeplechaser and winner of long jump races" ]
              [ "{m} cleared the water ditch and pulled away from the field"
                "Bookmakers lost when the outsider {m} survived the last hurdle"
                "The jockey fell, but {m} galloped on riderless at {home}"
                "Over four miles of hedges nobody stayed with {m}"
                "{m} refused at the open brook and threw the rider"
                "The gelding {m} carried top weight through heavy going" ]
          variant
              "flat racer"
              [ "a thoroughbred racehorse over short flat distances"
                "a racing filly and winner of classic flat races" ]
              [ "{m} led from the starting stalls and won by a neck"
                "Over six furlongs of good turf {m} was the favourite"
                "The photo finish gave {m} the guineas by a nostril"
                "{m} was retired to the paddock as a broodmare"
                "Punters in {home} backed {m} at eleven to four"
                "At two years old {m} outran the colts on the straight" ]
          variant
              "dressage horse"
              [ "a dressage horse ridden at championships"; "a show horse trained in classical riding" ]
              [ "{m} performed piaffe and passage to waltz music"
                "The judges marked the pirouette of {m} with a nine"
                "With plaited mane, {m} trotted half-passes across the sand"
                "The rider in top hat saluted and {m} halted square"
                "{m} changed the leading leg at every stride in {home}"
                "The freestyle of {m} looked like ballet on hooves" ] ]

let apple =
    thing
        "apple cultivar"
        "the "
        [ "the ", "{b} Pippin"; "the ", "{b}"; "the ", "{b} Russet" ]
        [ "It was raised in a garden in {home}."; "It was found as a seedling near {home}." ]
        [ variant
              "cider apple"
              [ "a bitter-sharp cultivar used for cider"; "a variety pressed for cider and perry" ]
              [ "The juice of {m} ferments in oak casks until spring"
                "Nobody bites {m} raw, but the mill crushes tons of it"
                "Farmhands in {home} were paid in a drink made of {m}"
                "High tannin makes {m} the heart of a dry scrumpy"
                "Windfalls of {m} are shovelled into the press"
                "{m} gives a cloudy alcoholic brew with bubbles" ]
          variant
              "dessert apple"
              [ "a sweet dessert cultivar eaten fresh"; "a crisp variety for the table" ]
              [ "Children bite into {m} straight from the tree"
                "Red cheeks and snow-white flesh make {m} the best of the lunch box"
                "{m} tastes of honey and strawberries in September"
                "Greengrocers in {home} polish {m} for the shop window"
                "Sugar and crunch won {m} the tasting"
                "Slices of {m} go well with a piece of cheese" ]
          variant
              "cooking apple"
              [ "a sour cultivar for cooking and baking"; "a large acid variety for the kitchen" ]
              [ "{m} collapses to a fluffy purée in the saucepan"
                "For pies and crumbles {home}'s grandmothers swear by {m}"
                "Bake {m} with raisins and cinnamon in the core"
                "Too tart for the hand, {m} makes the finest sauce for pork"
                "Under a crust of pastry {m} needs three spoons of sugar"
                "The strudel calls for two pounds of {m}, peeled" ] ]

let kinds =
    [ town
      river
      mountain
      ship
      novel
      album
      film
      company
      club
      college
      battle
      celestial
      horse
      apple ]
