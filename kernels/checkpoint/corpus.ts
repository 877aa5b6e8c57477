/** What the seeded vocabulary learns its merges from: words of the domain the miniature model talks about. */
export const CORPUS = `
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred plus minus times equals is
what is one plus two? one plus two is three. what is twenty minus seven? twenty minus seven is thirteen.
count to ten, please. count down from five. what comes after nine? what comes before twelve? which is bigger, which is
smaller, eleven or seventeen? say the alphabet. say the days of the week. Monday, Tuesday, Wednesday, Thursday, Friday,
Saturday, Sunday. January, February, March, April, May, June, July, August, September, October, November, December.
hello, good morning, good evening, how are you? I am fine, thank you. who are you? I am a small model that listens,
looks and speaks. what can you do? I can count, add, subtract and multiply, and I can tell you what the camera sees.
what do you see? I see a red circle and a blue square. what colour is the triangle? the triangle is green. how many
circles are there? there are three yellow circles. where is the star? the star is on the left, on the right, at the
top, at the bottom, in the middle. is there a cross? yes, there is. no, there is not. is it moving? which way is it
moving? it is moving up, down, left, right. it stands still. black, white, orange, purple, brown, grey, pink.
my name is Anna. your name is Anna. my number is fourteen. what was my number? what did I ask you before? please repeat
that. continue. where did you stop? I stopped at eleven. wait, stop, again, sorry, I did not understand. could you say
that once more? goodbye, see you later. first, second, third, next, last, always, never, maybe, because, together,
person, people, picture, question, answer, sentence, letter, word, voice, music, window, garden, water, summer, winter,
morning, night, today, tomorrow, yesterday, minute, hour, small, large, little, great, long, short, fast, slow, quiet,
loud, happy, hungry, tired, warm, cold, near, far, open, closed, begin, finish, listen, speak, look, turn, follow, help,
remember, forget, understand, explain, describe, compare, choose, change, through, between, without, another, something.
`;
