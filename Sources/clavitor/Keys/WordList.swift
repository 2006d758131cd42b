/// Short common words for passphrases, all different. Each adds log2 of their number in bits.
enum WordList {
    static let words: [String] =
        """
        able acid acorn acre actor adapt adult after again agent agree ahead aide aim air aisle alarm album alert alike
        alive alley allow alloy almond alone along aloud alpha altar always amaze amber amend amino ample amuse anchor
        angle ankle annex annual answer ant anvil apart apple apron arbor arch arena argue arise armor army aroma array
        arrow art ash aside ask aspen asset atlas atom attic audio aunt author auto autumn avoid awake award aware axis
        axle baby back bacon badge badger bag bagel bake baker ballet balloon balm bamboo banana band banjo bank banner
        bar barber bare bark barley barn barrel base basil basin basket batch bath baton battle bay beach beacon bead
        beam bean bear beard beast beat beaver become bed beech beef beer beet beetle begin behave bell belly belt bench
        bend berry best better bike bingo birch bird bishop bison bite black blade blank blast blaze blend bless blimp
        blind blink block blond bloom blouse blue bluff blunt blur board boat body boil bold bolt bone bonus book boost
        boot booth border boss bottle bottom bounce bow bowl box boxer boy brace brain brake branch brand brass brave
        bread break breeze brew brick bride bridge brief bright bring brisk broad bronze brook broom brother brown brush
        bubble bucket bud budget buffet build bulb bull bumper bunch bundle bunny burger burn burst bus bush busy butler
        butter button buyer buzz cabin cable cactus cage cake calf call calm camel camera camp canal candle candy cane
        canoe canvas canyon cape car carbon card care cargo carpet carrot carry cart carve case cash castle cat catch
        cattle cause cave cedar celery cell cement cent center cereal chain chair chalk champ change chant chapel
        chapter charge charm chart chase cheap check cheek cheer cheese chef cherry chess chest chew chick chief child
        chill chime chin chip choice choir choose chord chorus chunk cider cigar cinema circle circus city civic claim
        clam clap clash class claw clay clean clear clerk clever click cliff climb cling clinic clip cloak clock close
        cloth cloud clover clown club clue coach coal coast coat cobra cocoa code coffee coin cold collar colony color
        colt column comb comet comic common cook cookie cool copper copy coral cord core cork corn corner cost cotton
        couch cough count county couple course court cousin cover cow coyote crab crack cradle craft crane crash crater
        crayon cream create credit creek crew cricket crisp crop cross crow crowd crown cruise crumb crush crust crystal
        cube cup curb cure curl curve cushion custom cycle daily dairy daisy dance danger dare dark dart data date dawn
        day deal dear debate debt decade deck decor deep deer defend delay delta dense dentist depth desert design desk
        detail device dew dial diamond diary dice diesel diet digit dine dinner dip direct dirt dish disk ditch dive
        divide dock doctor dog doll dollar dolphin dome domino donkey donor door dot double dough dove down dozen draft
        dragon drama draw drawer dream dress drift drill drink drive drop drum dry duck duet dune dust duty dwarf each
        eager eagle ear early earn earth east easy eat echo edge edit effort egg eight either elbow elder elect elegant
        element elf elk elm email ember emerge empty enact end energy engine enjoy enter entire entry envoy equal equip
        erase errand escape essay estate even event ever every exact exam excite exhale exile exist exit expand expert
        extra eye fable fabric face fact fade fair fairy faith falcon fall fame family fan fancy far farm fashion fast
        fat father faucet favor fear feast feather fee feed feel fellow fence fern ferry fetch fever fiber field fig
        figure file film filter final finch find fine finger finish fire firm first fish fist fit five fix flag flake
        flame flash flat flavor flax fleet flight flint flip float flock flood floor flour flow flower fluid flute fly
        foam focus fog foil fold folk food foot force forest forge fork form fort forum fossil found four fox frame free
        freeze fresh friend fringe frog front frost fruit fudge fuel full fun fund funny fur fuse future gadget gain
        galaxy gallery game gap garage garden garlic gas gate gather gauge gear gem genius gentle ghost giant gift
        giggle ginger giraffe girl give glad glance glass glaze glide globe glory glove glow glue goal goat gold golf
        good goose gorilla gospel gossip gown grace grade grain grand grant grape graph grasp grass gravy gray great
        green greet grid grill grin grip grocery ground group grove grow guard guess guest guide guitar gulf gum guru
        gust gym habit hair half hall ham hammer hand handle happy harbor hard harp harvest hat have hawk hay hazel head
        heal health heap heart heat heavy hedge heel height helmet help hen herb herd hero heron hidden high hike hill
        hint hip hire hobby hockey hold hole holiday hollow home honest honey hood hook hope horn horse host hotel hour
        house hover hub huge hull human humble humor hundred hunt hurdle hurry husky hut hybrid ice icing icon idea idle
        igloo image impact inch income index indigo infant ink inlet inner input insect inside intake invent invite iris
        iron island issue item ivory ivy jacket jaguar jam jar jasmine jazz jeans jelly jet jewel job jockey join joke
        jolly journal journey joy judge juice jumbo jump jungle junior junk jury just kayak keen keep kennel kernel
        kettle key kick kid kidney kind king kiosk kite kitten kiwi knee knife knight knit knob knock knot know koala
        label labor lace ladder lady lagoon lake lamb lamp land lane laptop large laser last late latte laugh launch
        laundry lava lawn layer lazy leader leaf league lean learn leash leather lecture ledge left leg legend lemon
        lend lens lentil leopard lesson letter level lever liberty library lid life lift light lilac lily limb lime
        limit line linen link lion lip liquid list listen liter little live lizard load loaf loan lobby lobster local
        lock lodge loft logic long look loop loose lotus loud lounge love low loyal lucky lumber lunar lunch lung lure
        lyric macaw machine magic magma magnet maid mail main major make mammal man mango manor maple marble march
        margin marine mark market marsh mask mason mast master mat match math matrix meadow meal mean meat medal media
        melon melt member memory mentor menu mercy merge merit merry mesh metal meteor meter method middle might mild
        mile milk mill mimic mind mine mineral minor mint minute mirror misty mitten mix mobile model modern modest
        moment monday money monitor monk monkey month mood moon moose moral morning mosaic moss motel mother motion
        motor mound mountain mouse mouth move movie much mud muffin mule muscle museum music mustard mutual myth nail
        name napkin narrow nation native nature navy near neat neck nectar needle nephew nerve nest net never new news
        next nice nickel night nine noble noise noodle noon north nose note notice novel number nurse nut nylon oak
        oasis oat object ocean octave odd offer office often oil olive omega omelet onion online open opera opinion
        option oral orange orbit orchid order organ origin otter ounce outer oval oven over owl owner oxygen oyster
        ozone pace pack paddle page paint pair palace palm pan panda panel panic pantry paper parade parcel parent park
        parrot part party pass past pasta paste patch path patio pause pave peace peach peak peanut pear pearl pebble
        pedal peel pelican pen pencil penguin people pepper perch perfect perfume permit person pet petal phone photo
        piano pick picnic piece pier pig pigeon pillow pilot pine pink pint pioneer pipe pitch pizza place plain plan
        planet plant plate play plaza plot plow plug plum plus poem poet point polar pole police polish pond pony pool
        poppy porch port pose post pot potato pottery pouch pound powder power praise prefer prepare present press
        pretty price pride prince print prism prize problem profit program project proof proper proud public pudding
        pull pulp pulse pump pumpkin punch pupil puppet puppy pure purple purse push puzzle pyramid quail quake quality
        quart quartz queen query quest queue quick quiet quill quilt quit quiz quote rabbit raccoon race rack radar
        radio radish raft rail rain raise raisin rally ramp ranch range rank rapid raven razor reach react read ready
        real reason rebel recall recipe record red reef refill reform region relax relay remain remedy remind remote
        rent repair repeat reply report rescue resin resist rest result retire return reveal review reward rhyme ribbon
        rice rich ride ridge right ring rinse ripe ripple rise river road roast robe robin robot rock rocket rodeo role
        roll roof room root rope rose rotate round route royal rubber ruby rug rule rumor run runway rural rust saddle
        safe sage sail salad salmon salon salsa salt salute same sample sand satin sauce sauna save savor saxon scale
        scarf scene scent school science scoop score scout screen script scroll sea seal search season seat second
        secret seed seek select sell senate senior sense sentry series serve seven sew shade shadow shake shape share
        shark sharp sheep sheet shelf shell sherbet shield shift shine ship shirt shoe shop shore short shout show
        shower shrimp shrub shut shy side siege sigh sight sign signal silent silk silver simple sing sink siren sister
        six size skate sketch ski skill skin skirt sky slate sled sleep sleeve slice slide slim slogan slope slot slow
        small smart smile smoke smooth snack snail snake snow soap soccer social sock soda sofa soft soil solar soldier
        solid solo solve song soon sort soul sound soup source south space spark speak spear spell spend sphere spice
        spider spin spiral spirit splash spoon sport spot spray spread spring sprout spruce square squash squid squirrel
        stable stadium staff stage stair stamp stand star start state station statue stay steady steak steam steel steep
        stem step stereo stew stick still stilt stir stock stone stool stop store stork storm story stove straw stream
        street stretch string strip strong studio study stuff style submit subway sudden sugar suit sultan summer summit
        sun sunset super supply support sure surf surprise swan swarm sweet swift swim swing switch sword symbol
        symphony syrup system table tackle taco tail tailor take talent talk tall tango tank tape target task taste taxi
        tea teach team teapot temple ten tenant tender tennis tent term test text thank theater theme theory thick
        thimble thing think third thorn thread three thrill throne throw thumb thunder ticket tide tidy tiger tile
        timber time tin tiny tip tire title toast today toe toffee together token tomato tone tongue tool tooth top
        topaz torch tornado tortoise total touch tough tour towel tower town toy trace track trade trail train transit
        travel tray treat tree trend trial tribe trick trim trio trip trophy trout truck true trumpet trunk trust truth
        tulip tuna tunnel turkey turn turtle tutor tweed twelve twenty twice twig twin twist two type ultra umbrella
        uncle under unfold uniform union unique unit unity until update upper upset urban urge use usher usual vacuum
        valid valley value valve vanilla vapor vast vault vector velvet vendor venue verb verse version vessel vest
        victory video view village vine vinyl violet violin virtue visa vision visit visual vital vivid vocal voice
        volcano volume vote vowel voyage wafer wage wagon waist walk wall walnut walrus waltz wander want warm wash wasp
        watch water wave wax way wealth wear weather weave web wedding week weird welcome well west whale wheat wheel
        where while whisper whistle white whole wide widget wild willow win wind window wine wing winner winter wire
        wisdom wise wish wolf woman wonder wood wool word work world worth wrap wren wrist write yacht yard yarn year
        yellow yes yeti yodel yoga yogurt young youth zebra zero zest zinc zipper zodiac zone zoo zoom
        """.split(whereSeparator: \.isWhitespace).map(String.init)
}
