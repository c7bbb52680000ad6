"""Words that say how others belong together, in English, German, French and Spanish: no work is told apart by them."""

from __future__ import annotations

_WORDS = """
a about after all also am an and any are as at be because been before but by can could did do does for from had has
have he her his how i if in into is it its just me my no not of on or our out she so some than that the their them
then there they this to too up us was we were what when where which who will with would you your

aber alle als am an auch auf aus bei beim bin bis bitte da damit dann das dass dem den der des die dies diese diesem
dieser dieses doch du durch ein eine einem einen einer eines er es für habe haben hat hatte ich ihr ihre im in ins
ist ja kann kein keine können man mehr mein meine meinem meinen meiner mich mir mit nach nicht noch nur ob oder ohne
schon sehr sein seit sich sie sind so über um und uns unser unsere unter vom von vor war was wenn werden wie wieder
wir wird wo wurde zu zum zur zwei

à après au aux avec avoir ce ces cet cette ceux chez comme dans de depuis des deux dit du elle elles en est et été
être fait il ils je la le les leur leurs lui ma mais me mes moi mon même ne nos notre nous on ont ou où par pas peut
plus pour pourquoi puis qu que quand qui sa sans se ses si son sont sous sur ta te tes toi ton tous tout toute très
tu un une vos votre vous y ese

al algo ante antes aquí así aún cada como con cuando da de del desde dice donde dos durante el él ella ellos en
entre era es esa eso esta está están este esto estos fue ha hace han hasta hay la las le les lo los más me mi mis muy
ni no nos nuestra nuestro o otra otro para pero poco por porque pues puede puedo que qué quien se sea ser si sí sido
sin sobre son su sus también tan te tengo tiene tienen todo todos tras tu un una unos uno y ya yo
"""
FUNCTION_WORDS = frozenset(_WORDS.split())
