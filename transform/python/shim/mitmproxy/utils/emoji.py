"""The characters that a flow can be marked with, by their names: emoji[":heart:"].

The names are Unicode's, lower-case with underscores, and the short ones that people type.
"""
from __future__ import annotations

import string
import unicodedata

_RANGES = (
    (0x2600, 0x27BF),
    (0x2B05, 0x2B55),
    (0x1F300, 0x1F64F),
    (0x1F680, 0x1F6FF),
    (0x1F7E0, 0x1F7EB),
    (0x1F900, 0x1F9FF),
    (0x1FA70, 0x1FAFF),
)

# What a short name leaves away of a name.
_BEFORE = ("large_", "face_with_", "black_", "white_", "heavy_")
_BEHIND = ("_face", "_sign", "_symbol", "_mark")

# Short names that do not come from Unicode's, with the characters.
_SHORT = """
+1 1f44d thumbsup 1f44d -1 1f44e thumbsdown 1f44e 100 1f4af 1234 1f522 abc 1f524 abcd 1f521 alien 1f47d angel 1f47c
anger 1f4a2 apple 1f34e arrow_down 2b07 arrow_left 2b05 arrow_right 27a1 arrow_up 2b06 arrows_clockwise 1f503
arrows_counterclockwise 1f504 art 1f3a8 ballot_box 1f5f3 bangbang 203c basketball 1f3c0 bee 1f41d beer 1f37a beers 1f37b
bike 1f6b2 biohazard 2623 birthday 1f382 black_circle 26ab blush 1f60a boat 26f5 book 1f4d6 books 1f4da boom 1f4a5
bow 1f647 brown_circle 1f7e4 bulb 1f4a1 cake 1f370 calendar 1f4c6 car 1f697 cd 1f4bf champagne 1f37e
checkered_flag 1f3c1 clap 1f44f clubs 2663 coffee 2615 collision 1f4a5 computer 1f4bb confused 1f615
construction 1f6a7 cool 1f192 cop 1f46e copyright a9 cry 1f622 dancer 1f483 dart 1f3af dash 1f4a8 date 1f4c5 detective 1f575
diamonds 2666 disappointed 1f61e dizzy 1f4ab dna 1f9ec dollar 1f4b5 email 2709 e-mail 1f4e7 end 1f51a euro 1f4b6
exclamation 2757 exploding_head 1f92f facepalm 1f926 fearful 1f628 fist 270a flashlight 1f526 flushed 1f633
football 1f3c8 free 1f193 fu 1f595 full_moon 1f315 gem 1f48e gift 1f381 grey_exclamation 2755 grey_question 2754
grin 1f601 grinning 1f600 green_circle 1f7e2 gun 1f52b hand 270b hankey 1f4a9 headphones 1f3a7 heart 2764
heart_eyes 1f60d heartbeat 1f493 heartpulse 1f497 hearts 2665 heavy_exclamation_mark 2757 hotdog 1f32d hourglass 231b
hourglass_flowing_sand 23f3 house 1f3e0 hugs 1f917 id 1f194 imp 1f47f infinity 267e information_source 2139
innocent 1f607 interrobang 2049 iphone 1f4f1 joy 1f602 kiss 1f48b kissing_heart 1f618 knife 1f52a laughing 1f606
leaves 1f343 link 1f517 lion 1f981 lips 1f444 m 24c2 mag 1f50d mag_right 1f50e mailbox 1f4eb mask 1f637 mega 1f4e3
metal 1f918 middle_finger 1f595 moneybag 1f4b0 moon 1f314 muscle 1f4aa mute 1f507 new 1f195 ng 1f196 no_bell 1f515
no_smoking 1f6ad notes 1f3b6 o 2b55 ocean 1f30a office 1f3e2 ok 1f197 ok_hand 1f44c on 1f51b open_mouth 1f62e
orange 1f34a orange_circle 1f7e0 parking 1f17f partying_face 1f973 pencil 1f4dd pencil2 270f pensive 1f614 phone 260e
pizza 1f355 point_down 1f447 point_left 1f448 point_right 1f449 point_up 261d point_up_2 1f446 poop 1f4a9 pound 1f4b7
pray 1f64f punch 1f44a purple_circle 1f7e3 question 2753 radioactive 2622 rage 1f621 raised_hands 1f64c
raising_hand 1f64b recycle 267b registered ae relaxed 263a relieved 1f60c repeat 1f501 robot 1f916 rofl 1f923
roll_eyes 1f644 rotating_light 1f6a8 runner 1f3c3 running 1f3c3 santa 1f385 satellite 1f4e1 scissors 2702 scream 1f631
see_no_evil 1f648 hear_no_evil 1f649 speak_no_evil 1f64a shell 1f41a shirt 1f455 shit 1f4a9 skull 1f480 sleeping 1f634
sleepy 1f62a small_red_triangle 1f53a smile 1f604 smiley 1f603 smiling_imp 1f608 smirk 1f60f smoking 1f6ac
snowman 26c4 sob 1f62d soccer 26bd soon 1f51c sos 1f198 space_invader 1f47e spades 2660 sparkler 1f387 star 2b50
star2 1f31f stars 1f320 stop_sign 1f6d1 stuck_out_tongue 1f61b sunglasses 1f60e sunny 2600 sweat 1f613
sweat_smile 1f605 tada 1f389 tea 1f375 telephone 260e tennis 1f3be thinking 1f914 tm 2122 top 1f51d tophat 1f3a9
traffic_light 1f6a5 train 1f68b truck 1f69a tshirt 1f455 tv 1f4fa umbrella 2614 unamused 1f612 unicorn 1f984
unlock 1f513 up 1f199 v 270c vs 1f19a walking 1f6b6 warning 26a0 watch 231a wave 1f44b weary 1f629 whale 1f433
wheelchair 267f white_check_mark 2705 white_circle 26aa wink 1f609 wolf 1f43a worried 1f61f x 274c yellow_circle 1f7e1
yen 1f4b4 yum 1f60b zap 26a1 zzz 1f4a4 heavy_check_mark 2714 ballot_box_with_check 2611 fast_forward 23e9 rewind 23ea
pause_button 23f8 stop_button 23f9 record_button 23fa u7121 1f21a beetle 1f41e black_flag 1f3f4 white_flag 1f3f3 chess_pawn 265f
cold_sweat 1f630 dragon 1f409 monkey 1f412 first_quarter_moon 1f313 last_quarter_moon 1f317 frowning 1f626 pouting_face 1f64e
"""


def _shortened(name):
    for part in _BEFORE:
        if name.startswith(part):
            name = name[len(part) :]
    for part in _BEHIND:
        if name.endswith(part):
            name = name[: -len(part)]
    return name


def _make():
    by_name = {}
    for first, last in _RANGES:
        for code in range(first, last + 1):
            name = unicodedata.name(chr(code), "").lower().replace(" ", "_").replace("-", "_")
            if name:
                by_name[name] = chr(code)
    names = dict(by_name)
    for name, character in by_name.items():
        short = _shortened(name)
        if name == short + "_face" and short in by_name:
            # The animal is the one with the face, the whole of it has a 2.
            names[short], names[short + "2"] = character, by_name[short]
        elif short:
            names.setdefault(short, character)
    words = _SHORT.split()
    names.update((name, chr(int(code, 16))) for name, code in zip(words[::2], words[1::2]))
    table = {":%s:" % name: names[name] for name in sorted(names)}
    table[":default:"] = "●"
    table.update((c, c) for c in string.ascii_letters + string.digits)
    return table


emoji = _make()
