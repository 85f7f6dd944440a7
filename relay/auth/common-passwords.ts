/**
 * Words that most guessed passwords are made of, in lower case and without the digits and signs around them. A small list
 * does: shorter passwords are refused anyway, and tries are counted.
 */
export const COMMON: ReadonlySet<string> = new Set(
  `password passwort passwords passphrase password password password passw passwd pass kennwort geheim secret letmein letmeinnow
welcome willkommen admin administrator administrador root toor user username guest gast login signin master default
changeme changeit change changemenow test tester testing testtest testpassword temp temporary tempo demo sample example
qwerty qwertz qwertyuiop qwertzuiop azerty azertyuiop asdf asdfgh asdfghjkl zxcvbn zxcvbnm yxcvbnm qazwsx qazwsxedc qwer
qweasd qweasdzxc iloveyou iloveu ilovegod loveyou lovely ichliebedich schatz sunshine princess prinzessin football
fussball fußball baseball basketball soccer hockey liverpool arsenal chelsea barcelona bayern dragon monkey shadow
superman batman spiderman pokemon starwars matrix michael jordan jennifer thomas daniel andrea sandra nicole jessica
charlie ashley hunter killer trustno trustnoone whatever hello hallo hellohello hallohallo computer internet samsung
google facebook microsoft windows linux apple iphone android service support support server router camera cameras cctv
video dvr nvr recorder alarm alarms alarmanlage security sicherheit surveillance monitor monitoring gatepost gateway
hikvision hik installer installateur installateurs technician techniker company firma customer kunde operator operators
access zugang enter open sesame opensesame abc abcd abcde abcdef abcdefg abcdefgh abcabc aaaaaa summer sommer winter
spring frühling autumn herbst january januar february februar march april august september october oktober november
december dezember monday montag friday freitag sunday sonntag berlin hamburg münchen munich london paris germany
deutschland england france freedom freiheit flower blume cheese cookie ginger pepper banana orange chocolate schokolade
mustang ferrari porsche mercedes corvette yamaha harley maverick phoenix ranger thunder silver golden diamond angel
angels jesus heaven hannah maggie buster tigger soccer purple yellow rainbow family familie mother father money
millionaire business office buero büro manager employee mitarbeiter information passwordpassword adminadmin rootroot
mypassword meinpasswort mypass yourpassword newpassword neuespasswort oldpassword strongpassword securepassword
sicherespasswort superpassword thisismypassword passwordone correcthorsebatterystaple`.split(/\s+/),
);
